use super::*;
use crate::engine::cel::{Environment, compile_within};

fn field(name: &str, is_sent: bool, value: Bounds) -> FieldBounds {
    let escaped = Some(Arc::from(name));
    FieldBounds { escaped, length: name.len(), is_sent, value: Arc::new(value) }
}

fn strings(longest: Option<i64>, most: Option<i64>) -> Bounds {
    Bounds::list(Arc::new(Bounds::string(longest)), most)
}

/// An item of `lo` and `uo`: a name of 63 characters, and up to four tags of six.
fn item() -> Arc<Bounds> {
    let name = field("name", true, Bounds::string(Some(63)));
    Arc::new(Bounds::object([name, field("tags", false, strings(Some(6), Some(4)))]))
}

/// Those of `u` have no bounds.
fn bounds() -> Bounds {
    Bounds::object([
        field("s", false, Bounds::string(Some(10))),
        field("u", false, Bounds::string(None)),
        field("i", false, Bounds::number()),
        field("l", false, strings(Some(7), Some(10))),
        field("ul", false, strings(None, None)),
        field("lo", false, Bounds::list(item(), Some(12))),
        field("uo", false, Bounds::list(item(), None)),
        field("m", false, Bounds::map(Arc::new(Bounds::string(Some(9))), Some(5))),
    ])
}

fn self_type() -> Type {
    let named = |name: &str, of| (Arc::<str>::from(name), of);
    let strings = Type::list(Type::String);
    let item = [named("name", Type::String), named("tags", strings.clone())];
    let items = Type::list(Type::object("item", item));
    Type::object(
        "self",
        [
            named("s", Type::String),
            named("u", Type::String),
            named("i", Type::Int),
            named("l", strings.clone()),
            named("ul", strings),
            named("lo", items.clone()),
            named("uo", items),
            named("m", Type::map(Type::String, Type::String)),
        ],
    )
}

fn estimated(text: &str, minor: u32) -> (u64, u64) {
    let environment = Environment::for_stored(minor);
    let environment = environment.with("self", self_type()).with("oldSelf", self_type());
    let (_, cost) = compile_within(text, &environment, &bounds()).unwrap();
    (cost.min, cost.max)
}

#[track_caller]
fn all(minor: u32, cases: &[(&str, u64, u64)]) {
    for (text, min, max) in cases {
        assert_eq!(estimated(text, minor), (*min, *max), "{text}");
    }
}

#[test]
fn each_step_costs() {
    all(
        37,
        &[
            // The variable, the field, and a tenth of the shorter side, rounded up.
            ("self.s == 'a'", 3, 3),
            ("self.i > 1", 3, 3),
            ("self.s.size() < 10", 4, 4),
            ("has(self.s)", 1, 1),
            ("int == type(1)", 2, 2),
            ("self == oldSelf", 2, 2),
            // The right side may not be looked at.
            ("self.s.startsWith('abc') && self.i > 1", 3, 6),
            ("self.i > 1 ? self.s : 'x'", 3, 5),
            ("self.l[0] == 'b'", 4, 4),
            ("'a' in self.l", 2, 12),
            ("dyn(self.l) == [1]", 14, 14),
            ("self.?s.orValue('')", 3, 3),
        ],
    );
}

#[test]
fn loops_cost_as_often_as_they_may_turn() {
    all(
        37,
        &[
            ("self.l.all(x, x == 'a')", 3, 53),
            ("self.ul.exists(x, x.startsWith('a'))", 3, 6_291_453),
            ("self.uo.all(x, x.name != 'a')", 3, 1_451_871),
            ("self.lo.all(x, self.lo.exists_one(y, x.name == y.name))", 3, 4_695),
            ("self.m.all(k, self.m[k].size() > 1)", 3, 48),
            ("self.m.all(k, v, k != v)", 3, 28),
            ("self.l.filter(x, x != '').size()", 14, 154),
            ("self.s.split(',').all(x, x == 'a')", 3, 171),
            ("{'a': self.s}.all(k, k == 'a')", 36, 37),
            ("[self.s, 'b'].all(x, x.size() > 2)", 19, 25),
            ("self.l.transformMap(i, v, v)", 33, 73),
            ("self.l.sortBy(x, x.size())", 36, 376),
        ],
    );
}

#[test]
fn the_last_path_that_was_written_says_how_often_a_loop_turns() {
    all(
        37,
        &[
            ("self.lo.all(x, x.tags.all(t, t != ''))", 3, 267),
            // As often as `x.name` may have bytes.
            ("self.lo.all(x, x.tags.all(t, t != x.name))", 3, 27_291),
        ],
    );
    all(30, &[("self.lo.all(x, x.tags.all(t, t != x.name))", 3, 507)]);
}

#[test]
fn calls_cost_by_the_size_of_what_they_read() {
    all(
        37,
        &[
            // A tenth of 3 MiB, by itself.
            ("self.u.contains(self.u)", 4, 98_956_172_333),
            ("self.s.matches('^[a-z]+$')", 4, 12),
            ("matches(self.s, '^[a-z]+$')", 4, 12),
            ("self.s.replace('a', 'bb') + 'c'", 3, 19),
            ("self.s.replace('', 'bb')", 2, 10),
            ("bytes(self.s)", 2, 6),
            ("string(b'abcd')", 1, 1),
            ("strings.quote(self.s)", 2, 6),
            ("'%s'.format([self.s])", 13, 13),
            ("self.s.find('[a-z]*')", 4, 12),
            ("self.l.isSorted()", 2, 42),
            ("self.l.sort()", 13, 223),
            ("self.l.distinct()", 13, 213),
            ("self.l.slice(1, 3)", 15, 15),
            ("lists.range(3)", 14, 14),
            ("sets.contains(self.l, ['a', 'b'])", 13, 33),
            ("quantity(self.s) == quantity('1')", 4, 8),
            ("url(self.s) == url(self.s)", 5, 16),
            ("cidr(self.s).containsIP(self.s)", 5, 16),
            ("ip.isCanonical(self.s)", 2, 10),
            ("format.uuid().validate(self.s)", 3, 131),
        ],
    );
}

#[test]
fn what_is_not_known_is_without_bound() {
    let most = u64::MAX.div_ceil(10);
    // The separators are as long as can be, since a made list has no declared items.
    let (min, max) = estimated("self.l.map(x, x + x).join(',')", 37);
    assert_eq!(min, 13);
    assert!(max > most, "{max}");
}

#[test]
fn older_servers_know_less() {
    all(
        30,
        &[
            // Not yet by the pattern.
            ("matches(self.s, '^[a-z]+$')", 3, 3),
            ("optional.of(self.s).optMap(x, x + x)", 5, 21),
            ("self.lo.all(x, self.lo.exists_one(y, x.name == y.name))", 3, 4_695),
            ("self.s.split(',').all(x, x == 'a')", 3, 171),
        ],
    );
    assert!(estimated("quantity(self.s) == quantity('1')", 30).1 > u64::MAX / 16);
}

#[test]
fn a_long_chain_of_loops_is_estimated_in_no_time() {
    let mut text = "self.s == 'a'".to_owned();
    for at in 0..60 {
        text = format!("self.l.all(x{at}, {text})");
    }
    assert_eq!(estimated(&text, 37).1, u64::MAX);
}
