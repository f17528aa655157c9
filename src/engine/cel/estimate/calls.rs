//! What calls cost before their arguments are known.

use super::super::ast::Literal;
use super::super::check::CheckedKind;
use super::super::cost::{MAKE_LIST, MAKE_STRUCT, PATTERN, TRAVERSAL};
use super::super::library::Overload;
use super::super::types::{Opaque, Type};
use super::path::ITEMS;
use super::{Entry, Estimator, Extent, Part};

/// What one question to the authorizer costs, so that an expression may ask no more than two.
const AUTHORIZATION: u64 = 350_000;

/// How long the pattern of a named format and its name may be.
const FORMAT_PATTERN: f64 = 128.0;
const FORMAT_NAME: u64 = 64;

/// How many bytes an address has.
const ADDRESS: Extent = Extent::new(4, 16);

/// What a call is given.
#[derive(Debug, Default)]
pub(super) struct Given<'c> {
    /// What it is called on.
    pub(super) target: Option<Part<'c>>,
    pub(super) args: Vec<Part<'c>>,
    /// What the arguments cost.
    pub(super) costs: Vec<Extent>,
}

impl Given<'_> {
    fn sum(&self) -> Extent {
        self.costs.iter().fold(Extent::NOTHING, |sum, it| sum + *it)
    }
}

/// What a call costs, and how large its result is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Called {
    pub(super) cost: Extent,
    pub(super) size: Option<Extent>,
    pub(super) entry: Option<Entry>,
}

impl Called {
    const ONE: Self = Self::costs(Extent::ONE);

    const fn costs(cost: Extent) -> Self {
        Self { cost, size: None, entry: None }
    }

    const fn makes(self, size: Extent) -> Self {
        Self { size: Some(size), ..self }
    }

    /// A call that makes a list.
    fn makes_list(factor: f64, size: Extent) -> Self {
        let cost = size.scaled(factor) + Extent::exactly(1 + MAKE_LIST);
        Self::costs(cost).makes(size)
    }
}

/// Returns the value of a literal that is a number.
fn number(part: &Part<'_>) -> Option<i64> {
    match &part.checked.kind {
        CheckedKind::Literal(Literal::Int(value)) => Some(*value),
        _ => None,
    }
}

/// Returns the value of a literal that is a number and not negative.
fn count(part: Option<&Part<'_>>, otherwise: u64) -> u64 {
    part.and_then(number).map_or(otherwise, |it| it.max(0).cast_unsigned())
}

/// Returns how often a part fits into a text, rounded up, as the server's processor converts it.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "reckoned in floats upstream; neither is negative"
)]
fn fits(text: u64, part: u64) -> u64 {
    let times = (text as f64 / part as f64).ceil();
    if times < u64::MAX as f64 { times as u64 } else { 1 << 63 }
}

/// Returns the size of a text of which parts are replaced.
fn replaced(text: Extent, part: Extent, by: Extent) -> Extent {
    let (mut times, mut kept) = (Extent::NOTHING, Extent::NOTHING);
    if part.min == 0 {
        // Between any two characters.
        times.max = text.max.saturating_add(1);
        kept.max = text.max;
    } else if by.max <= part.min {
        kept.max = text.max;
    } else {
        times.max = fits(text.max, part.min);
    }
    if part.max == 0 {
        times.min = text.min.saturating_add(1);
        kept.min = text.min;
    } else if part.max <= by.min {
        kept.min = text.min;
    } else {
        times.min = fits(text.min, part.max);
    }
    times.times(by) + kept
}

/// Returns the size of a list of texts that are joined.
fn joined(list: Extent, item: Option<Extent>, separator: Option<Extent>) -> Extent {
    let texts = item.map_or(Extent::NOTHING, |it| list.times(it));
    let between = list.map(|it| it.saturating_sub(1));
    texts + separator.map_or(Extent::NOTHING, |it| it.times(between))
}

/// Returns what it costs to match a text with a pattern, both by their sizes.
fn matched(text: Extent, pattern: Extent) -> Extent {
    (text + Extent::ONE).scaled(TRAVERSAL).times(pattern.scaled(PATTERN))
}

impl<'c> Estimator<'c> {
    /// Returns the size of an argument, as the language reckons it.
    fn language_size(&self, part: &Part<'_>) -> Extent {
        let size = if self.knows_parts { part.seen } else { self.looked_up_size(part) };
        size.unwrap_or(Extent::UNKNOWN)
    }

    /// Returns the size of an argument, as libraries reckon it.
    fn library_size(&self, part: &Part<'_>) -> Extent {
        let size = if self.knows_parts {
            part.seen.or_else(|| self.bounds.at(part.path.as_ref()))
        } else {
            self.declared_size(part)
        };
        size.unwrap_or(Extent::UNKNOWN)
    }

    /// Returns the cost of a call of one signature with its arguments.
    pub(super) fn function(&self, name: &str, overload: &Overload, given: &Given<'c>) -> Called {
        let own = self.extension(name, overload, given);
        let own = own.or_else(|| self.library(name, overload, given));
        match own {
            Some(called) => Called { cost: called.cost + given.sum(), ..called },
            None => self.language(name, overload, given),
        }
    }

    /// Lists and sets.
    fn extension(&self, name: &str, overload: &Overload, given: &Given<'c>) -> Option<Called> {
        let arg = |at: usize| given.args.get(at);
        if let "sets.contains" | "sets.intersects" | "sets.equivalent" = name {
            let product = self.library_size(arg(0)?).times(self.library_size(arg(1)?));
            let factor = if name == "sets.equivalent" { 2.0 } else { 1.0 };
            return Some(Called::costs(product.scaled(factor) + Extent::ONE));
        }
        if name == "lists.range" {
            return Some(Called::makes_list(1.0, Extent::exactly(count(arg(0), u64::MAX))));
        }
        let target = given.target.as_ref()?;
        let sorts = |of: &Type, size: Extent| {
            let is_text =
                matches!(of, Type::List(list) if matches!(list.item, Type::String | Type::Bytes));
            let factor = if is_text { 2.0 + TRAVERSAL } else { 2.0 };
            Called::makes_list(factor, size.times(size))
        };
        Some(match name {
            "slice" => {
                let start = count(arg(0), 0);
                let end = count(arg(1), self.library_size(target).max);
                Called::makes_list(1.0, Extent::exactly(end.wrapping_sub(start)))
            }
            "flatten" => {
                let depth = if given.args.is_empty() { 1 } else { count(arg(0), u64::MAX) };
                #[expect(clippy::cast_precision_loss, reason = "a factor is a float upstream")]
                Called::makes_list(depth as f64, self.library_size(target))
            }
            "reverse" => Called::makes_list(1.0, self.library_size(target)),
            "distinct" => {
                let size = self.library_size(target);
                Called::makes_list(2.0, size.times(size))
            }
            "sort" => sorts(overload.args.first()?, self.library_size(target)),
            "@sortByAssociatedKeys" => sorts(overload.args.get(1)?, self.library_size(arg(0)?)),
            _ => return None,
        })
    }

    /// Returns what lies in a target: its type and, where it is declared, its size.
    fn item(&self, target: &Part<'_>) -> Option<(Type, Extent)> {
        let of = match self.type_of(target) {
            Type::List(list) => list.item.clone(),
            Type::Map(map) => map.0.clone(),
            Type::Optional(of) | Type::Type(of) => (*of).clone(),
            _ => return None,
        };
        let size = self.bounds.below(target.path.as_ref(), Some(ITEMS));
        Some((of, size.unwrap_or(Extent::UNKNOWN)))
    }

    /// The functions that the API server reckons itself (`EstimateCallCost` of
    /// `k8s.io/apiserver/pkg/cel/library`).
    fn library(&self, name: &str, overload: &Overload, given: &Given<'c>) -> Option<Called> {
        let arg = |at: usize| given.args.get(at);
        let size = |part: &Part<'_>| self.library_size(part);
        let read = |part: &Part<'_>| Called::costs(size(part).scaled(TRAVERSAL));
        let target = given.target.as_ref();
        let takes_text = overload.args.last() == Some(&Type::String);
        Some(match name {
            "check" => Called::costs(Extent::exactly(AUTHORIZATION)),
            "fieldSelector" | "labelSelector" if given.args.len() == 1 => {
                let size = size(arg(0)?);
                #[expect(clippy::cast_precision_loss, reason = "small constants")]
                let requirements = size.scaled(0.5).scaled((MAKE_LIST + MAKE_STRUCT) as f64);
                let parse = size.scaled(TRAVERSAL);
                Called::costs(Extent::exactly(MAKE_LIST) + parse + requirements)
            }
            "isSorted" | "sum" | "max" | "min" | "indexOf" | "lastIndexOf" | "includes" => {
                let target = target?;
                match self.item(target) {
                    Some((Type::String | Type::Bytes, item)) => {
                        let each = Extent::ONE + item.scaled(TRAVERSAL);
                        Called::costs(size(target).times(each))
                    }
                    Some(_) => Called::costs(size(target)),
                    None if name == "includes" => Called::costs(size(target)),
                    None => read(target),
                }
            }
            "url" if self.server < 32 => read(arg(0)?),
            "url" | "jsonpatch.escapeKey" => read(arg(0)?).makes(size(arg(0)?)),
            "lowerAscii" | "upperAscii" | "substring" | "trim" => {
                read(target?).makes(size(target?))
            }
            "replace" => {
                let text = size(target?);
                let made = replaced(text, size(arg(0)?), size(arg(1)?));
                Called::costs(text.scaled(2.0 * TRAVERSAL)).makes(made)
            }
            "split" => {
                let text = size(target?);
                let most = arg(1).and_then(number).map_or(text.max, i64::cast_unsigned);
                Called::costs(text.scaled(2.0 * TRAVERSAL)).makes(Extent::new(0, most))
            }
            "join" => {
                let target = target?;
                let item = self.item(target).map(|it| it.1);
                let made = joined(size(target), item, arg(0).map(size));
                Called::costs(made.scaled(TRAVERSAL)).makes(made)
            }
            "find" | "findAll" => {
                let text = size(target?);
                let cost = matched(text, size(arg(0)?));
                Called::costs(cost).makes(Extent::new(0, text.max))
            }
            "ip" if overload.member => Called::ONE,
            "ip" | "cidr" | "isIP" | "isCIDR" | "quantity" | "isQuantity" | "semver"
            | "isSemver" => read(arg(0)?),
            "ip.isCanonical" => Called::costs(size(arg(0)?).scaled(2.0 * TRAVERSAL)),
            "containsIP" | "containsCIDR" => {
                let mut cost = (ADDRESS + ADDRESS).scaled(TRAVERSAL);
                if name == "containsCIDR" {
                    cost = cost + ADDRESS.scaled(TRAVERSAL) + Extent::ONE;
                }
                if takes_text {
                    cost = cost + size(arg(0)?).scaled(TRAVERSAL);
                }
                Called::costs(cost)
            }
            "validate" => {
                let text = size(arg(0)?).scaled(TRAVERSAL);
                Called::costs(text.scaled(FORMAT_PATTERN * PATTERN))
            }
            "_==_" if self.server >= 32 => self.equal(given)?,
            _ => return None,
        })
    }

    /// Two values of the same type of a library.
    fn equal(&self, given: &Given<'c>) -> Option<Called> {
        let [left, right] = given.args.as_slice() else { return None };
        let (left, of) = (self.type_of(left), self.type_of(right));
        let Type::Opaque(opaque) = left else { return None };
        if of != left {
            return None;
        }
        Some(match opaque {
            Opaque::Format => Called::costs(Extent::new(1, FORMAT_NAME).scaled(TRAVERSAL)),
            Opaque::Url => {
                let most = right.seen.or(right.size).map_or(1, |it| it.max);
                Called::costs(Extent::new(1, most).scaled(TRAVERSAL))
            }
            Opaque::JsonPatch => return None,
            _ => Called::ONE,
        })
    }

    /// The functions of the language (`functionCost` of cel-go).
    fn language(&self, name: &str, overload: &Overload, given: &Given<'c>) -> Called {
        let first_type = overload.args.first();
        let is_text = matches!(first_type, Some(Type::String | Type::Bytes));
        let is_list = matches!(first_type, Some(Type::List(_)));
        let size = |part: &Part<'_>| self.language_size(part);
        let sum = given.sum();
        let called = match (name, &given.target, given.args.as_slice()) {
            ("bytes", None, [text]) if first_type == Some(&Type::String) => {
                let size = size(text);
                let made = Extent::new(size.min, size.max.wrapping_mul(4));
                Called::costs(size.scaled(TRAVERSAL)).makes(made)
            }
            ("string", None, [bytes]) if first_type == Some(&Type::Bytes) => {
                let size = size(bytes);
                Called::costs(size.scaled(TRAVERSAL)).makes(Extent::new(size.min / 4, size.max))
            }
            ("strings.quote", None, [text]) => {
                let size = size(text);
                let most = size.max.wrapping_mul(2).wrapping_add(2);
                let made = Extent::new(size.min.wrapping_add(2), most);
                Called::costs(size.scaled(TRAVERSAL)).makes(made)
            }
            ("format", Some(text), _) | ("startsWith" | "endsWith", _, [text]) => {
                Called::costs(size(text).scaled(TRAVERSAL))
            }
            ("@in", _, [_, list]) if matches!(overload.args.get(1), Some(Type::List(_))) => {
                Called::costs(size(list))
            }
            ("matches", Some(text), [pattern]) => Called::costs(matched(size(text), size(pattern))),
            ("matches", None, [text, pattern]) if self.server >= 37 => {
                Called::costs(matched(size(text), size(pattern)))
            }
            ("contains", Some(text), [part]) => {
                let (text, part) = (size(text).scaled(TRAVERSAL), size(part).scaled(TRAVERSAL));
                Called::costs(text.times(part))
            }
            ("_&&_" | "_||_", _, _) => {
                let least = given.costs.first().map_or(0, |it| it.min);
                return Called::costs(Extent::new(least, sum.max));
            }
            ("_?_:_", _, [_, left, right]) => {
                let [condition, one, other] = given.costs.as_slice() else { return Called::ONE };
                let entry = left.entry.zip(right.entry).map(|(left, right)| left.union(right));
                let made = size(left).union(size(right));
                let called = Called::costs(*condition + one.union(*other)).makes(made);
                return Called { entry, ..called };
            }
            ("_+_", _, [left, right]) if is_text || is_list => {
                let made = size(left) + size(right);
                let cost = if is_list { Extent::ONE } else { made.scaled(TRAVERSAL) };
                let entry = left.entry.zip(right.entry).map(|(left, right)| left.union(right));
                Called { entry, ..Called::costs(cost).makes(made) }
            }
            ("_==_" | "_!=_", _, [left, right]) => Called::costs(compared(size(left), size(right))),
            ("_<_" | "_<=_" | "_>_" | "_>=_", _, [left, right]) if is_text => {
                Called::costs(compared(size(left), size(right)))
            }
            _ => Called::ONE,
        };
        Called { cost: called.cost + sum, ..called }
    }
}

/// Returns what it costs to compare two values, which ends with the shorter one.
fn compared(left: Extent, right: Extent) -> Extent {
    let most = left.max.min(right.max);
    Extent::new(u64::from(most > 0), most).scaled(TRAVERSAL)
}
