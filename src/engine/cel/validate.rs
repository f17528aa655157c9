//! What is looked at once all types are known.

use super::ast::Literal;
use super::check::{Checked, CheckedKind, Checker};
use super::library::template::clauses;
use super::types::Type;

impl Checker<'_> {
    /// Looks at what can be told once all types are known: the items of a literal have to be of
    /// one and the same type, and templates have to fit their arguments.
    pub(super) fn validate(&mut self, checked: &Checked) {
        if self.errors.is_empty() {
            self.validate_node(checked, false);
        }
    }

    fn validate_node(&mut self, checked: &Checked, exempt: bool) {
        match &checked.kind {
            CheckedKind::Error
            | CheckedKind::Literal(_)
            | CheckedKind::Global(_)
            | CheckedKind::Local(_)
            | CheckedKind::TypeName(_) => {}
            CheckedKind::Select { operand, .. } => self.validate_node(operand, exempt),
            CheckedKind::Call { function, args, .. } => {
                if &**function == "format" && self.environment.minor >= 29 {
                    self.validate_template(args);
                }
                let exempt = exempt || &**function == "format";
                for arg in args {
                    self.validate_node(arg, exempt);
                }
            }
            CheckedKind::List(items) => {
                if !exempt {
                    self.same_types(items.iter().map(|(optional, it)| (*optional, it)));
                }
                for (_, item) in items {
                    self.validate_node(item, exempt);
                }
            }
            CheckedKind::Map(entries) => {
                if !exempt {
                    self.same_types(entries.iter().map(|(_, key, _)| (false, key)));
                    self.same_types(entries.iter().map(|(optional, _, it)| (*optional, it)));
                }
                for (_, key, value) in entries {
                    self.validate_node(key, exempt);
                    self.validate_node(value, exempt);
                }
            }
            CheckedKind::Struct(fields) => {
                for (_, _, value) in fields {
                    self.validate_node(value, exempt);
                }
            }
            CheckedKind::Comprehension(it) => {
                for child in [&it.range, &it.initial, &it.condition, &it.step, &it.result] {
                    self.validate_node(child, exempt);
                }
            }
        }
    }

    fn same_types<'c>(&mut self, items: impl Iterator<Item = (bool, &'c Checked)>) {
        let mut first: Option<Type> = None;
        for (optional, item) in items {
            let of = match self.closed(&item.of) {
                Type::Optional(of) if optional => (*of).clone(),
                of => of,
            };
            match &first {
                None => first = Some(of),
                Some(known) if !known.is_equivalent(&of) => {
                    let known = known.clone();
                    self.mismatch(&item.range, &known, &of);
                    return;
                }
                Some(_) => {}
            }
        }
    }

    fn validate_template(&mut self, args: &[Checked]) {
        let [template, list] = args else { return };
        let CheckedKind::Literal(Literal::String(text)) = &template.kind else { return };
        let CheckedKind::List(items) = &list.kind else { return };
        let mut next = 0;
        let outcome = clauses::<String>(
            text,
            |_| {},
            |clause| {
                let item = items.get(next).map(|(_, item)| item);
                next += 1;
                let Some(item) = item else { return Ok(String::new()) };
                match self.unfit(clause.verb, item) {
                    Some(of) => Err(clause.refusal(of.runtime_name())),
                    None => Ok(String::new()),
                }
            },
            |at| at < items.len(),
        );
        match outcome {
            Err(message) => self.error(&list.range, message),
            Ok(count) if count < items.len() => {
                let message = format!(
                    "too many arguments supplied to string.format (expected {count}, got {})",
                    items.len()
                );
                self.error(&list.range, message);
            }
            Ok(_) => {}
        }
    }

    /// Returns the type that a clause of a template does not take.
    fn unfit(&self, verb: char, item: &Checked) -> Option<Type> {
        let of = self.closed(&item.of);
        if of.is_dyn() {
            return None;
        }
        let fits = match (verb, &of) {
            ('s', Type::Optional(_) | Type::Opaque(_) | Type::Object(_) | Type::Error) => false,
            ('s', _) => {
                let children: Vec<&Checked> = match &item.kind {
                    CheckedKind::List(items) => items.iter().map(|(_, it)| it).collect(),
                    CheckedKind::Map(entries) => {
                        entries.iter().flat_map(|(_, key, value)| [key, value]).collect()
                    }
                    _ => Vec::new(),
                };
                return children.into_iter().find_map(|it| self.unfit(verb, it));
            }
            ('d' | 'o', Type::Int | Type::Uint)
            | ('f' | 'e', Type::Double | Type::String)
            | ('b', Type::Int | Type::Uint | Type::Bool)
            | ('x' | 'X', Type::Int | Type::Uint | Type::String | Type::Bytes) => true,
            _ => false,
        };
        (!fits).then_some(of)
    }
}

impl Type {
    /// Says whether two closed types are the same but for what a list means in a schema.
    fn is_equivalent(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::List(left), Self::List(right)) => left.item.is_equivalent(&right.item),
            (Self::Map(left), Self::Map(right)) => {
                left.0.is_equivalent(&right.0) && left.1.is_equivalent(&right.1)
            }
            (Self::Optional(left), Self::Optional(right))
            | (Self::Type(left), Self::Type(right)) => left.is_equivalent(right),
            _ => self == other,
        }
    }
}
