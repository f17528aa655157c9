//! What a module declares and uses, read from its syntax tree.
//!
//! The tree comes from `regorus::unstable`, which says of itself that it may change. A change
//! breaks the build here, and nowhere else; the JSON form of the tree would break silently.

use std::collections::{BTreeMap, BTreeSet};

use regorus::unstable::{
    BUILTINS, Expr, Literal, Module as Ast, Query, Rule, RuleHead, Span, WithModifier,
};

use super::{Annotation, AnnotationError, Place, annotation};

/// What one module declares and uses.
#[derive(Debug)]
pub struct Module {
    /// The name that it was loaded under.
    pub name: String,
    /// The package, without `data`.
    pub package: Vec<String>,
    /// Where the package is named.
    pub place: Place,
    /// The annotation of the package, where it has one.
    pub annotation: Result<Option<Annotation>, AnnotationError>,
    /// The rules, one for each place that declares one.
    pub rules: Vec<RuleOutline>,
    /// The references to `data`, imports among them.
    pub references: Vec<Reference>,
    /// The fields of `input` that are used.
    pub inputs: Vec<InputField>,
    /// The calls of builtins.
    pub calls: Vec<Call>,
    /// The arguments in negated expressions that have no value where a field is missing.
    ///
    /// Where one has none, OPA takes the negation for undefined, and this interpreter for true.
    pub uncertain: Vec<Argument>,
}

/// One declaration of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleOutline {
    /// The name, without the package.
    pub name: String,
    /// What it is.
    pub form: RuleForm,
    /// Where it stands.
    pub place: Place,
}

/// What a rule is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleForm {
    /// `name contains x if {…}`.
    Set,
    /// A value, or an object that is put together from several declarations.
    Value,
    /// `name(x) := … if {…}`.
    Function,
    /// `default name := …`.
    Default,
    /// `default name(_) := …`.
    DefaultFunction,
}

/// A reference to `data`, as far as its steps are constant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The steps, without `data`.
    pub path: Vec<String>,
    /// Whether it is an import, which may name a package.
    pub is_import: bool,
    /// Where it stands.
    pub place: Place,
}

/// A field of `input` that a module reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputField {
    /// The first step below `input`.
    pub name: String,
    /// Where it stands.
    pub place: Place,
}

/// A call of a function that the module neither declares nor imports: a builtin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The name, e.g. `regex.match`.
    pub function: String,
    /// Where it stands.
    pub place: Place,
}

/// An argument in a negated expression that has no value where a field is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Argument {
    /// The text.
    pub text: String,
    /// Where it stands.
    pub place: Place,
}

/// Says whether the interpreter knows a builtin of this name.
pub fn is_builtin(name: &str) -> bool {
    name == "print" || BUILTINS.contains_key(name)
}

pub(super) fn modules(engine: &mut regorus::Engine) -> Vec<Module> {
    engine.get_modules().iter().map(|ast| Walk::module(ast)).collect()
}

/// The root of a reference, and its steps as far as they are constant.
struct Path<'a> {
    root: &'a Span,
    steps: Vec<String>,
}

struct Walk {
    // What a name in the module stands for: a path that starts with `data` or `input`.
    imports: BTreeMap<String, Vec<String>>,
    own: BTreeSet<String>,
    out: Module,
}

impl Walk {
    fn module(ast: &Ast) -> Module {
        let source = &ast.package.span.source;
        let mut walk = Self {
            imports: BTreeMap::new(),
            own: BTreeSet::new(),
            out: Module {
                name: source.file().clone(),
                package: components(&ast.package.refr),
                place: start_of(&ast.package.refr),
                annotation: annotation::of_package(source.file(), source.contents()),
                rules: Vec::new(),
                references: Vec::new(),
                inputs: Vec::new(),
                calls: Vec::new(),
                uncertain: Vec::new(),
            },
        };
        for import in &ast.imports {
            let path = components(&import.refr);
            let alias = import.r#as.as_ref().map(|alias| alias.text().to_owned());
            walk.reference(&path, true, start_of(&import.refr));
            if let Some(alias) = alias.or_else(|| path.last().cloned()) {
                walk.imports.insert(alias, path);
            }
        }
        for rule in &ast.policy {
            walk.declaration(rule);
        }
        for rule in &ast.policy {
            walk.rule(rule);
        }
        walk.out
    }

    fn declaration(&mut self, rule: &Rule) {
        let (refr, form) = match rule {
            Rule::Spec { head, .. } => match head {
                RuleHead::Compr { refr, .. } => (refr, RuleForm::Value),
                RuleHead::Set { refr, .. } => (refr, RuleForm::Set),
                RuleHead::Func { refr, .. } => (refr, RuleForm::Function),
            },
            Rule::Default { refr, args, .. } if args.is_empty() => (refr, RuleForm::Default),
            Rule::Default { refr, .. } => (refr, RuleForm::DefaultFunction),
        };
        let name = components(refr).first().cloned().unwrap_or_default();
        self.own.insert(name.clone());
        self.out.rules.push(RuleOutline { name, form, place: start_of(refr) });
    }

    fn rule(&mut self, rule: &Rule) {
        match rule {
            Rule::Spec { head, bodies, .. } => {
                match head {
                    RuleHead::Compr { refr, assign, .. } => {
                        self.steps_of(refr, false);
                        if let Some(assign) = assign {
                            self.expr(&assign.value, false);
                        }
                    }
                    RuleHead::Set { refr, key, .. } => {
                        self.steps_of(refr, false);
                        if let Some(key) = key {
                            self.expr(key, false);
                        }
                    }
                    RuleHead::Func { args, assign, .. } => {
                        for arg in args {
                            self.expr(arg, false);
                        }
                        if let Some(assign) = assign {
                            self.expr(&assign.value, false);
                        }
                    }
                }
                for body in bodies {
                    if let Some(assign) = &body.assign {
                        self.expr(&assign.value, false);
                    }
                    self.query(&body.query);
                }
            }
            Rule::Default { value, .. } => self.expr(value, false),
        }
    }

    fn query(&mut self, query: &Query) {
        for statement in &query.stmts {
            match &statement.literal {
                Literal::SomeVars { .. } => {}
                Literal::SomeIn { key, value, collection, .. } => {
                    if let Some(key) = key {
                        self.expr(key, false);
                    }
                    self.expr(value, false);
                    self.expr(collection, false);
                }
                Literal::Expr { expr, .. } => self.expr(expr, false),
                Literal::NotExpr { expr, .. } => self.expr(expr, true),
                Literal::Every { domain, query, .. } => {
                    self.expr(domain, false);
                    self.query(query);
                }
            }
            for WithModifier { refr, r#as, .. } in &statement.with_mods {
                self.expr(refr, false);
                self.expr(r#as, false);
            }
        }
    }

    fn expr(&mut self, expr: &Expr, negated: bool) {
        match expr {
            Expr::String { .. }
            | Expr::RawString { .. }
            | Expr::Number { .. }
            | Expr::Bool { .. }
            | Expr::Null { .. } => {}
            Expr::Var { .. } | Expr::RefDot { .. } | Expr::RefBrack { .. } => {
                self.path(expr, negated);
            }
            Expr::Array { items, .. } | Expr::Set { items, .. } => {
                for item in items {
                    self.expr(item, negated);
                }
            }
            Expr::Object { fields, .. } => {
                for (_, key, value) in fields {
                    self.expr(key, negated);
                    self.expr(value, negated);
                }
            }
            Expr::ArrayCompr { term, query, .. } | Expr::SetCompr { term, query, .. } => {
                self.expr(term, false);
                self.query(query);
            }
            Expr::ObjectCompr { key, value, query, .. } => {
                self.expr(key, false);
                self.expr(value, false);
                self.query(query);
            }
            Expr::Call { fcn, params, .. } => {
                self.call(fcn);
                for param in params {
                    self.argument(param, negated);
                }
            }
            Expr::UnaryExpr { expr, .. } => self.expr(expr, negated),
            Expr::BinExpr { lhs, rhs, .. }
            | Expr::BoolExpr { lhs, rhs, .. }
            | Expr::ArithExpr { lhs, rhs, .. }
            | Expr::AssignExpr { lhs, rhs, .. } => {
                self.expr(lhs, negated);
                self.expr(rhs, negated);
            }
            Expr::Membership { key, value, collection, .. } => {
                for operand in key.iter().chain([value, collection]) {
                    self.argument(operand, negated);
                }
            }
        }
    }

    /// Looks at an operand of a function.
    fn argument(&mut self, expr: &Expr, negated: bool) {
        if negated
            && matches!(expr, Expr::RefDot { .. } | Expr::RefBrack { .. })
            && let Some(path) = flatten(expr)
            && self.resolve(&path).first().is_none_or(|root| root != "data")
        {
            let text = expr.span().text().to_owned();
            self.out.uncertain.push(Argument { text, place: start_of(expr) });
        }
        self.expr(expr, negated);
    }

    fn call(&mut self, function: &Expr) {
        let Some(path) = flatten(function) else {
            self.expr(function, false);
            return;
        };
        let resolved = self.resolve(&path);
        match resolved.first().map(String::as_str) {
            Some("data") => self.reference(&resolved, false, start_of(function)),
            _ if resolved.len() == 1 && self.own.contains(path.root.text()) => {}
            _ => self
                .out
                .calls
                .push(Call { function: resolved.join("."), place: start_of(function) }),
        }
    }

    fn path(&mut self, expr: &Expr, negated: bool) {
        self.steps_of(expr, negated);
        let Some(path) = flatten(expr) else {
            return;
        };
        let resolved = self.resolve(&path);
        self.reference(&resolved, false, start_of(expr));
    }

    /// Visits what stands in the brackets of a reference, and what it starts from.
    fn steps_of(&mut self, expr: &Expr, negated: bool) {
        let mut expr = expr;
        loop {
            match expr {
                Expr::RefDot { refr, .. } => expr = refr,
                Expr::RefBrack { refr, index, .. } => {
                    self.expr(index, negated);
                    expr = refr;
                }
                Expr::Var { .. } => return,
                other => return self.expr(other, negated),
            }
        }
    }

    fn resolve(&self, path: &Path<'_>) -> Vec<String> {
        let root = path.root.text();
        let mut resolved = match self.imports.get(root) {
            Some(import) => import.clone(),
            None => vec![root.to_owned()],
        };
        resolved.extend(path.steps.iter().cloned());
        resolved
    }

    fn reference(&mut self, path: &[String], is_import: bool, place: Place) {
        match path.split_first() {
            Some((root, path)) if root == "data" => {
                self.out.references.push(Reference { path: path.to_vec(), is_import, place });
            }
            Some((root, [name, ..])) if root == "input" => {
                self.out.inputs.push(InputField { name: name.clone(), place });
            }
            _ => {}
        }
    }
}

/// Returns the root and the constant steps of a reference that starts from a name.
fn flatten(expr: &Expr) -> Option<Path<'_>> {
    let mut steps = Vec::new();
    let mut expr = expr;
    let root = loop {
        match expr {
            Expr::RefDot { refr, field, .. } => {
                steps.push(Some(field.0.text().to_owned()));
                expr = refr;
            }
            Expr::RefBrack { refr, index, .. } => {
                steps.push(match index.as_ref() {
                    Expr::String { value, .. } | Expr::RawString { value, .. } => {
                        value.as_string().ok().map(ToString::to_string)
                    }
                    _ => None,
                });
                expr = refr;
            }
            Expr::Var { span, .. } => break span,
            _ => return None,
        }
    };
    let steps = steps.into_iter().rev().map_while(|step| step).collect();
    Some(Path { root, steps })
}

fn components(expr: &Expr) -> Vec<String> {
    flatten(expr).map_or_else(Vec::new, |path| {
        std::iter::once(path.root.text().to_owned()).chain(path.steps).collect()
    })
}

/// Returns where an expression starts. The span of a reference has the column of its last step.
fn start_of(expr: &Expr) -> Place {
    let span = flatten(expr).map_or_else(|| expr.span(), |path| path.root);
    let source = &span.source;
    Place::in_text(source.file(), source.contents(), span.line, span.col)
}
