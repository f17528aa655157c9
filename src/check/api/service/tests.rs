use crate::check::api::fixture::{
    assert_clean, assert_one, assert_refused, assert_update, findings,
};

fn service(fields: &str) -> String {
    format!("apiVersion: v1\nkind: Service\nmetadata: {{name: a}}\nspec: {{{fields}}}\n")
}

fn with_port(fields: &str) -> String {
    service(&format!("ports: [{{port: 80}}], {fields}"))
}

#[test]
fn ports_have_names_and_numbers() {
    assert_clean(&with_port(""));
    assert_refused(&service("selector: {a: b}"), &["spec.ports"]);
    assert_refused(&service("ports: [{port: 0}]"), &["spec.ports[0].port"]);
    assert_refused(
        &service("ports: [{port: 80}, {port: 81, name: A}]"),
        &["spec.ports[0].name", "spec.ports[1].name"],
    );
    assert_refused(
        &service("ports: [{port: 80, name: a}, {port: 80, name: a}]"),
        &["spec.ports[1].name", "spec.ports[1]"],
    );
    assert_clean(&service("ports: [{port: 53, name: a}, {port: 53, name: b, protocol: UDP}]"));
    assert_clean(&service("ports: [{port: 80, targetPort: http, appProtocol: kubernetes.io/h2c}]"));
    assert_refused(
        &service("ports: [{port: 80, targetPort: '80'}]"),
        &["spec.ports[0].targetPort"],
    );
}

#[test]
fn ports_of_nodes_are_for_some_types() {
    assert_one(
        &service("ports: [{port: 80, nodePort: 30080}]"),
        "api/invalid-node-port",
        "`spec.ports[0].nodePort` must not be set when the type is `ClusterIP`",
        "spec.ports[0].nodePort",
        "nodePort",
    );
    let node_port = |ports: &str| service(&format!("type: NodePort, ports: [{ports}]"));
    assert_clean(&node_port("{port: 80, nodePort: 30080}"));
    assert_refused(&node_port("{port: 80, nodePort: 80}"), &["spec.ports[0].nodePort"]);
    // Two protocols of one number share a port of the nodes; two numbers do not.
    let two =
        "{port: 53, name: a, nodePort: 30053}, {port: 53, name: b, protocol: UDP, nodePort: 30053}";
    assert_clean(&node_port(two));
    assert_refused(
        &node_port(&two.replace("{port: 53, name: b", "{port: 54, name: b")),
        &["spec.ports[1].nodePort"],
    );
}

#[test]
fn addresses_agree() {
    assert_clean(&with_port("clusterIP: None"));
    assert_clean(&service("clusterIP: None"));
    assert_refused(&with_port("clusterIP: None, type: NodePort"), &["spec.clusterIPs[0]"]);
    assert_refused(&with_port("clusterIP: 10.0.0.300"), &["spec.clusterIPs[0]"]);
    assert_refused(&with_port("clusterIPs: [10.0.0.3]"), &["spec.clusterIPs"]);
    assert_refused(
        &with_port(
            "clusterIP: 10.0.0.3, clusterIPs: [10.0.0.3, 10.0.0.4], ipFamilyPolicy: SingleStack",
        ),
        &["spec.clusterIPs", "spec.ipFamilyPolicy"],
    );
    assert_refused(&with_port("clusterIP: 10.0.0.3, ipFamilies: [IPv6]"), &["spec.clusterIPs[0]"]);
    assert_refused(&with_port("ipFamilies: [IPv4, IPv4]"), &["spec.ipFamilies[1]"]);
}

#[test]
fn a_name_outside_is_a_host() {
    assert_clean(&service("type: ExternalName, externalName: a.example.com."));
    assert_refused(&service("type: ExternalName"), &["spec.externalName"]);
    assert_refused(
        &service("type: ExternalName, externalName: 'https://a.b'"),
        &["spec.externalName"],
    );
    assert_refused(
        &service("type: ExternalName, externalName: a.b, clusterIP: 10.0.0.1"),
        &["spec.clusterIPs"],
    );
}

#[test]
fn load_balancers_have_fields_of_their_own() {
    let fields = "loadBalancerSourceRanges: [10.0.0.0/8], allocateLoadBalancerNodePorts: false, loadBalancerClass: a/b";
    assert_clean(&with_port(&format!("type: LoadBalancer, {fields}")));
    assert_refused(
        &with_port(fields),
        &[
            "spec.LoadBalancerSourceRanges",
            "spec.allocateLoadBalancerNodePorts",
            "spec.loadBalancerClass",
        ],
    );
    assert_refused(
        &with_port("type: LoadBalancer, loadBalancerSourceRanges: [' 10.0.0.0/8 ', a]"),
        &["spec.LoadBalancerSourceRanges[1]"],
    );
}

#[test]
fn policies_fit_the_type() {
    assert_clean(&with_port("type: NodePort, externalTrafficPolicy: Local"));
    assert_refused(&with_port("externalTrafficPolicy: Local"), &["spec.externalTrafficPolicy"]);
    assert_refused(&with_port("healthCheckNodePort: 30000"), &["spec.healthCheckNodePort"]);
    assert_clean(&with_port(
        "type: LoadBalancer, externalTrafficPolicy: Local, healthCheckNodePort: 30000",
    ));
    assert_refused(&with_port("trafficDistribution: Close"), &["spec.trafficDistribution"]);
    assert_eq!(findings(30, &with_port("trafficDistribution: Close")), []);
    assert_refused(
        &with_port(
            "sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: {timeoutSeconds: 0}}",
        ),
        &["spec.sessionAffinityConfig.clientIP.timeoutSeconds"],
    );
}

#[test]
fn addresses_stay() {
    let old = with_port("clusterIP: 10.0.0.3");
    assert_update(&old, &with_port(""), &[]);
    assert_update(&old, &with_port("clusterIP: 10.0.0.4"), &["spec.clusterIPs[0]"]);
    assert_update(&with_port(""), &with_port("clusterIP: None"), &["spec.clusterIPs[0]"]);
    let headless = with_port("clusterIP: None");
    assert_update(&headless, &service("selector: {a: b}"), &[]);
    assert_update(&headless, &with_port("type: NodePort"), &["spec.clusterIPs[0]"]);
    assert_update(
        &old,
        &service("type: ExternalName, externalName: a.b, clusterIP: 10.0.0.3"),
        &[],
    );
}

#[test]
fn what_came_with_the_type_goes_with_it() {
    let old = service("type: NodePort, ports: [{port: 80, nodePort: 30080}]");
    assert_update(&old, &old.replace("NodePort,", "ClusterIP,"), &[]);
    let moved = old.replace("NodePort,", "ClusterIP,").replace("30080", "30081");
    assert_update(&old, &moved, &["spec.ports[0].nodePort"]);
    let old = with_port("type: LoadBalancer, loadBalancerClass: a/b");
    assert_update(&old, &old.replace("a/b", "a/c"), &["spec.loadBalancerClass"]);
    assert_update(&old, &old.replace("type: LoadBalancer", "type: ClusterIP"), &[]);
}

#[test]
fn warnings_do_not_refuse() {
    let found = findings(37, &with_port("type: LoadBalancer, loadBalancerIP: '2001:DB8::1'"));
    let rules: Vec<&str> = found.iter().map(|it| it.0.as_str()).collect();
    assert_eq!(rules, ["api/unclear-ip-address"]);
    let found = findings(37, &with_port("externalName: a.b"));
    assert_eq!(found[0].0, "api/ignored-service-field");
}
