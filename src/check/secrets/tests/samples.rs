//! Secrets of every format, made at run time: no one's, and in no file as a whole.

use super::super::{base64, checksum};

/// A secret of one format, in a text as it would be met.
pub(super) struct Sample {
    pub(super) id: &'static str,
    pub(super) text: String,
    pub(super) secret: String,
}

/// Digits that look random and are always the same.
pub(super) struct Digits(u64);

impl Digits {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(super) fn byte(&mut self) -> u8 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.to_le_bytes()[4]
    }

    pub(super) fn of(&mut self, alphabet: &str, len: usize) -> String {
        let alphabet = alphabet.as_bytes();
        (0..len).map(|_| char::from(alphabet[usize::from(self.byte()) % alphabet.len()])).collect()
    }

    pub(super) fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.byte()).collect()
    }
}

const DIGIT: &str = "0123456789";
const HEX: &str = "0123456789abcdef";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const WORD: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const LETTER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const LOWER: &str = "abcdefghijklmnopqrstuvwxyz0123456789";
const BECH32: &str = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/// Writes out a recipe: `{w30}` is thirty random digits of the alphabet `w`, and the checksums
/// are of what stands before them.
pub(super) fn write(recipe: &str, digits: &mut Digits) -> String {
    let mut out = String::new();
    let mut rest = recipe;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let (step, after) = after.split_once('}').unwrap();
        rest = after;
        let (kind, len) = step.split_at(1);
        let len: usize = len.parse().unwrap_or(0);
        let ascii = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let crc = |from: usize| checksum::crc32(&out.as_bytes()[from..]);
        let part = match kind {
            "d" => digits.of(DIGIT, len),
            "h" => digits.of(HEX, len),
            "H" => digits.of(&HEX.to_uppercase(), len),
            "u" => digits.of(UPPER, len),
            "w" => digits.of(WORD, len),
            "a" => digits.of(LETTER, len),
            "l" => digits.of(LOWER, len),
            // CRC-32 of the text from the given place on, in base 62, base 36, hexadecimal.
            "C" => ascii(checksum::base62(crc(len), 6)),
            "c" => ascii(checksum::base36(crc(len), 7)),
            "x" => ascii(checksum::hex(crc(len))),
            "X" => ascii(checksum::hex(crc(len))).to_uppercase(),
            "r" => ascii(checksum::hex(crc(len).swap_bytes())),
            "S" => ascii(checksum::sha256_base32(out.as_bytes())),
            other => panic!("{other}"),
        };
        out.push_str(&part);
    }
    out + rest
}

/// Formats that a recipe describes whole.
const RECIPES: &[(&str, &str)] = &[
    ("github-pat", "ghp_{w30}{C4}"),
    ("github-fine-grained-pat", "github_pat_{w22}_{w43}{S}{w8}"),
    ("github-oauth-token", "gho_{w30}{C4}"),
    ("github-user-token", "ghu_{w30}{C4}"),
    ("github-installation-token", "ghs_{w36}"),
    ("github-refresh-token", "ghr_{w70}{C4}"),
    ("gitlab-pat", "glpat-{w20}"),
    ("gitlab-pat", "glpat-{w27}.01.0y{c0}"),
    ("gitlab-runner-token", "glrt-{w20}"),
    ("gitlab-runner-token", "GR1348941{w20}"),
    ("gitlab-deploy-token", "gldt-{w20}"),
    ("gitlab-trigger-token", "glptt-{h40}"),
    ("gitlab-agent-token", "glagent-{w50}"),
    ("gitlab-oauth-secret", "gloas-{w64}"),
    ("gitlab-scim-token", "glsoat-{w20}"),
    ("atlassian-api-token", "ATATT3xFfGF0{w171}={X0}"),
    ("bitbucket-app-password", "ATBB{w24}{H8}"),
    ("azure-devops-pat", "{w76}AZDO{w4}"),
    ("circleci-pat", "CCIPAT_{w22}_{h40}"),
    ("sonarqube-token", "squ_{h40}"),
    ("terraform-cloud-token", "{w14}.atlasv1.{w67}"),
    ("pulumi-token", "pul-{h40}"),
    ("npm-token", "npm_{w30}{C4}"),
    ("rubygems-key", "rubygems_{h48}"),
    ("docker-hub-pat", "dckr_pat_{w27}"),
    ("docker-hub-organization-token", "dckr_oat_{w32}"),
    ("artifactory-api-key", "AKCp{w69}"),
    ("gcp-api-key", "AIza{w35}"),
    ("gcp-oauth-client-secret", "GOCSPX-{w28}"),
    ("azure-client-secret", "{w3}8Q~{w34}"),
    ("digitalocean-token", "dop_v1_{h64}"),
    ("cloudflare-token", "cfut_{w40}{x5}"),
    ("tailscale-key", "tskey-auth-k{w10}CNTRL-{w32}"),
    ("vercel-token", "vcp_{w50}{C4}"),
    ("heroku-key", "HRKU-AA{w58}"),
    ("databricks-token", "dapi{h32}"),
    ("supabase-token", "sbp_{h40}"),
    ("supabase-token", "sb_secret_{w31}"),
    ("planetscale-token", "pscale_tkn_{w43}"),
    ("vault-token", "hvs.{w95}"),
    ("doppler-token", "dp.pt.{w43}"),
    ("slack-token", "xoxb-{d12}-{d12}-{w24}"),
    ("slack-token", "xoxp-{d12}-{d12}-{d12}-{h32}"),
    ("slack-token", "xapp-1-A{u10}-{d13}-{h64}"),
    ("slack-webhook", "hooks.slack.com/services/T{u10}/B{u10}/{w24}"),
    ("discord-webhook", "discord.com/api/webhooks/{d18}/{w68}"),
    (
        "teams-webhook",
        "webhook.office.com/webhookb2/{h8}-{h4}-{h4}-{h4}-{h12}@{h8}-{h4}-{h4}-{h4}-{h12}\
         /IncomingWebhook/{h32}/{h8}-{h4}-{h4}-{h4}-{h12}",
    ),
    ("stripe-key", "sk_live_{w24}"),
    ("stripe-test-key", "rk_test_{w24}"),
    ("sendgrid-key", "SG.{w22}.{w43}"),
    ("mailchimp-key", "{h32}-us11"),
    ("brevo-key", "xkeysib-{h64}-{w16}"),
    ("telegram-bot-token", "{d10}:AA{w33}"),
    ("grafana-service-account-token", "glsa_{w32}_{h8}"),
    ("grafana-cloud-token", "glc_eyJ{w120}"),
    ("new-relic-key", "NRAK-{u27}"),
    ("sentry-user-token", "sntryu_{h64}"),
    ("dynatrace-token", "dt0c01.{u24}.{u64}"),
    ("shopify-token", "shpat_{h32}"),
    ("openai-key", "sk-proj-{w74}T3BlbkFJ{w74}"),
    ("anthropic-key", "sk-ant-api03-{w93}AA"),
    ("hugging-face-token", "hf_{a34}"),
    ("groq-key", "gsk_{w52}"),
    ("notion-token", "ntn_{d11}{w35}"),
    ("linear-key", "lin_api_{w40}"),
    ("postman-key", "PMAK-{h24}-{h34}"),
    ("openshift-token", "sha256~{w43}"),
    ("password-hash", "$2y$10${w53}"),
];

/// Returns at least one secret of every format.
pub(super) fn all() -> Vec<Sample> {
    let mut digits = Digits::new(7);
    let mut samples: Vec<Sample> = RECIPES
        .iter()
        .map(|(id, recipe)| {
            let secret = match *id {
                // The checksum covers the prefix, but not the `_` before it.
                "grafana-service-account-token" => {
                    let body = write("glsa_{w32}", &mut digits);
                    let crc = checksum::crc32(body.as_bytes()).swap_bytes();
                    format!("{body}_{}", String::from_utf8(checksum::hex(crc)).unwrap())
                }
                _ => write(recipe, &mut digits),
            };
            Sample { id, text: format!("value: \"{secret}\"\n"), secret }
        })
        .collect();
    let mut add = |id, text: String, secret: String| samples.push(Sample { id, text, secret });

    let word = digits.of(WORD, 40);
    add("npmrc-auth", format!("//npm.corp.io/:_authToken={word}\n"), word);
    let pypi = {
        let mut macaroon = vec![2, 1, 8];
        macaroon.extend(b"index.io");
        macaroon.extend([2, 40]);
        macaroon.extend(digits.bytes(90));
        format!("pypi-{}", url_base64(&macaroon))
    };
    add("pypi-token", format!("password = {pypi}\n"), pypi);
    let auth = base64::encode(format!("robot:{}", digits.of(WORD, 20)).as_bytes());
    let config = format!("{{\"auths\": {{\"registry.corp.io\": {{\"auth\": \"{auth}\"}}}}}}");
    add("registry-auth", config.clone(), auth.clone());
    add("registry-auth", config.replace('"', "\\\""), auth);

    let id = ["AK", "IA"].concat() + &digits.of("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16);
    let key = digits.of(&format!("{WORD}+/"), 36) + "aZ7/";
    add("aws-secret-access-key", format!("key_id: {id}\nkey: {key}\n"), key.clone());
    add("aws-secret-access-key", format!("secretAccessKey: {key}\n"), key);
    let account = base64::encode(&digits.bytes(64));
    add("azure-storage-key", format!("AccountName=a;AccountKey={account};"), account);
    let ops = url_base64(
        format!("{{\"signInAddress\":\"a\",\"k\":\"{}\"}}", digits.of(WORD, 200)).as_bytes(),
    );
    add("onepassword-service-account-token", format!("TOKEN=ops_{ops}\n"), format!("ops_{ops}"));
    let mailgun = format!("key-{}", digits.of(HEX, 32));
    add("mailgun-key", format!("MAILGUN_API_KEY: {mailgun}\n"), mailgun);
    let datadog = digits.of(HEX, 32);
    add("datadog-key", format!("- name: DD_API_KEY\n  value: {datadog}\n"), datadog);
    let sentry = format!(
        "sntrys_{}_{}",
        base64::encode(br#"{"iat":1700000000.1,"url":"https://a","org":"corp-eng"}"#),
        digits.of(WORD, 43)
    );
    add("sentry-org-token", format!("token: {sentry}\n"), sentry);

    let cluster = jwt(r#"{"iss":"kubernetes/serviceaccount","sub":"a"}"#, &mut digits);
    add("service-account-token", format!("token: {cluster}\n"), cluster);
    let plain = jwt(r#"{"iss":"https://login.corp.io","sub":"a"}"#, &mut digits);
    add("jwt", format!("token: {plain}\n"), plain);
    let pem = pem(&mut digits);
    let data = base64::encode(pem.as_bytes());
    add("kubeconfig-client-key", format!("    client-key-data: {data}\n"), data);
    let age = checksum::bech32("age-secret-key-", digits.of(BECH32, 52).as_bytes());
    let age = age.to_uppercase();
    add("age-identity", format!("# created\n{age}\n"), age);
    add("private-key", format!("key: |\n{pem}\n"), pem.clone());
    let escaped = pem.replace('\n', "\\n");
    let account = format!("{{\"type\": \"service_account\", \"private_key\": \"{escaped}\\n\"}}");
    add("gcp-service-account-key", account, escaped);
    let password = digits.of(WORD, 12);
    let basic = base64::encode(format!("ci:{}", digits.of(WORD, 20)).as_bytes());
    add("basic-auth-header", format!("Authorization: Basic {basic}\n"), basic);
    let connection = format!("Server=db.corp.io;User=app;Password={password};Encrypt=True\n");
    add("connection-string-password", connection, password.clone());
    add("url-password", format!("dsn: postgres://app:{password}@db:5432/app\n"), password);
    samples
}

/// Returns a private key in PEM armor without a line break at its end.
pub(super) fn pem(digits: &mut Digits) -> String {
    let mut der = vec![0x30, 120];
    der.extend(digits.bytes(120));
    let body = base64::encode(&der);
    let (first, second) = body.split_at(64);
    let label = "PRIVATE KEY-----";
    format!("-----BEGIN {label}\n{first}\n{second}\n-----END {label}")
}

/// Returns a signed token with the given claims.
fn jwt(claims: &str, digits: &mut Digits) -> String {
    let header = url_base64(br#"{"alg":"RS256","typ":"JWT"}"#);
    format!("{header}.{}.{}", url_base64(claims.as_bytes()), url_base64(&digits.bytes(64)))
}

fn url_base64(bytes: &[u8]) -> String {
    base64::encode(bytes).trim_end_matches('=').replace('+', "-").replace('/', "_")
}
