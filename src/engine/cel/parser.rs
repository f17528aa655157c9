//! Tokens to expressions.

use std::ops::Range;
use std::sync::Arc;

use super::ast::{Expr, FieldInit, Item, Kind, Literal, MapEntry};
use super::lexer::{Token, TokenKind, tokens};
use super::name::RESERVED;
use super::{CompileError, macros};

/// How long an expression may be, in code points, and how deep it may nest.
const MAX_CODE_POINTS: usize = 100_000;
const MAX_CHAIN: usize = 250;

/// How deep brackets may nest. Upstream takes 250, of which no one is known to use the tenth part;
/// each takes room on the stack.
const MAX_DEPTH: usize = 100;

/// How many expressions may lie within one another, macros expanded.
const MAX_NESTING: usize = 260;

/// Binary operators: how tightly they bind, how they are written, and the function of each.
const OPERATORS: &[(usize, &str, &str)] = &[
    (0, "||", "_||_"),
    (1, "&&", "_&&_"),
    (2, "<", "_<_"),
    (2, "<=", "_<=_"),
    (2, ">=", "_>=_"),
    (2, ">", "_>_"),
    (2, "==", "_==_"),
    (2, "!=", "_!=_"),
    (2, "in", "@in"),
    (3, "+", "_+_"),
    (3, "-", "_-_"),
    (4, "*", "_*_"),
    (4, "/", "_/_"),
    (4, "%", "_%_"),
];

/// What the language has in a version.
#[derive(Debug, Clone, Copy)]
pub(super) struct Syntax {
    /// `a.?b`, `a[?b]`, `[?a]`.
    pub(super) optionals: bool,
    /// `a.all(i, v, ...)` and its kin.
    pub(super) two_variables: bool,
    /// `a.sortBy(x, ...)`.
    pub(super) sort_by: bool,
}

/// Reads an expression.
pub(super) fn parse(text: &str, syntax: Syntax) -> Result<Expr, Vec<CompileError>> {
    let fail = |range, message: String| Err(vec![CompileError { range, message }]);
    if text.len() > MAX_CODE_POINTS {
        let size = text.chars().count();
        if size > MAX_CODE_POINTS {
            return fail(
                0..text.len(),
                format!(
                    "expression code point size exceeds limit: size: {size}, limit {MAX_CODE_POINTS}"
                ),
            );
        }
    }
    let tokens = tokens(text).map_err(|error| vec![error])?;
    let mut parser = Parser { tokens, at: 0, depth: 0, syntax, errors: Vec::new() };
    let expr = match parser.expr() {
        Ok(expr) => expr,
        Err(error) => {
            parser.errors.push(error);
            return Err(parser.errors);
        }
    };
    if parser.peek().kind != TokenKind::End {
        let error = parser.unexpected("an operator or the end");
        parser.errors.push(error);
    }
    if parser.errors.is_empty() { Ok(expr) } else { Err(parser.errors) }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    syntax: Syntax,
    /// Errors after which reading goes on.
    errors: Vec<CompileError>,
}

type Parsed = Result<Expr, CompileError>;

const END: Token = Token { range: 0..0, kind: TokenKind::End };

impl Parser {
    fn peek(&self) -> &Token {
        self.tokens.get(self.at).unwrap_or(&END)
    }

    fn peek_sign(&self, ahead: usize, sign: &str) -> bool {
        let token = self.tokens.get(self.at + ahead);
        matches!(token.map(|it| &it.kind), Some(TokenKind::Sign(it)) if *it == sign)
    }

    fn take(&mut self) -> Token {
        let token = self.peek().clone();
        if token.kind != TokenKind::End {
            self.at += 1;
        }
        token
    }

    fn eat(&mut self, sign: &str) -> Option<Range<usize>> {
        self.peek_sign(0, sign).then(|| self.take().range)
    }

    fn expect(&mut self, sign: &str) -> Result<Range<usize>, CompileError> {
        self.eat(sign).ok_or_else(|| self.unexpected(&format!("`{sign}`")))
    }

    fn unexpected(&self, wanted: &str) -> CompileError {
        let token = self.peek();
        let found = match &token.kind {
            TokenKind::End => "the end".to_owned(),
            TokenKind::Sign(sign) => format!("`{sign}`"),
            TokenKind::Ident(name) | TokenKind::EscapedIdent(name) => format!("`{name}`"),
            TokenKind::Int(_) | TokenKind::Double(_) | TokenKind::Literal(_) => "a literal".into(),
        };
        let message = format!("expected {wanted}, but found {found}");
        CompileError { range: token.range.clone(), message }
    }

    fn deeper(&mut self) -> Result<(), CompileError> {
        self.depth += 1;
        if self.depth <= MAX_DEPTH {
            return Ok(());
        }
        Err(CompileError {
            range: self.peek().range.clone(),
            message: format!("expression recursion limit exceeded: {MAX_DEPTH}"),
        })
    }

    fn expr(&mut self) -> Parsed {
        self.deeper()?;
        let condition = self.binary(0)?;
        let expr = if self.eat("?").is_some() {
            let truthy = self.binary(0)?;
            self.expect(":")?;
            let falsy = self.expr()?;
            let range = condition.range.start..falsy.range.end;
            Expr::call(&range, "_?_:_", vec![condition, truthy, falsy])
        } else {
            condition
        };
        self.depth -= 1;
        Self::shallow(&expr)?;
        Ok(expr)
    }

    fn shallow(expr: &Expr) -> Result<(), CompileError> {
        if expr.depth <= MAX_NESTING {
            return Ok(());
        }
        let message = "the expression nests too deep".to_owned();
        Err(CompileError { range: expr.range.clone(), message })
    }

    /// Returns the binary operator that comes next, and how tightly it binds.
    fn operator(&self) -> Option<(usize, &'static str)> {
        let TokenKind::Sign(sign) = self.peek().kind else { return None };
        let operator = OPERATORS.iter().find(|(_, known, _)| *known == sign);
        operator.map(|(level, _, function)| (*level, *function))
    }

    /// Reads what binary operators join that bind at least so tightly. What `&&` or `||` joins is
    /// one call of all the terms.
    fn binary(&mut self, least: usize) -> Parsed {
        let mut left = self.unary()?;
        let mut length = 0;
        let mut open = "";
        while let Some((level, function)) = self.operator().filter(|(level, _)| *level >= least) {
            self.take();
            let right = self.binary(level + 1)?;
            let range = left.range.start..right.range.end;
            if open == function
                && let Kind::Call { args, .. } = &mut left.kind
            {
                left.depth = left.depth.max(right.depth + 1);
                left.range = range;
                args.push(right);
                continue;
            }
            length += 1;
            self.bounded(length)?;
            Self::shallow(&left)?;
            left = Expr::call(&range, function, vec![left, right]);
            open = if level < 2 { function } else { "" };
        }
        Ok(left)
    }

    /// A chain nests as deep as it is long.
    fn bounded(&self, length: usize) -> Result<(), CompileError> {
        if length < MAX_CHAIN {
            return Ok(());
        }
        Err(CompileError {
            range: self.peek().range.clone(),
            message: format!("expression recursion limit exceeded: {MAX_CHAIN}"),
        })
    }

    fn unary(&mut self) -> Parsed {
        let start = self.peek().range.start;
        for (sign, function) in [("!", "!_"), ("-", "-_")] {
            let mut count = 0;
            while self.peek_sign(0, sign) && !(count == 0 && self.is_negative_literal()) {
                self.take();
                count += 1;
            }
            if count == 0 {
                continue;
            }
            let operand = self.member()?;
            if count % 2 == 0 {
                return Ok(operand);
            }
            return Ok(Expr::call(&(start..operand.range.end), function, vec![operand]));
        }
        self.member()
    }

    fn is_negative_literal(&self) -> bool {
        let next = self.tokens.get(self.at + 1).map(|it| &it.kind);
        self.peek_sign(0, "-") && matches!(next, Some(TokenKind::Int(_) | TokenKind::Double(_)))
    }

    fn member(&mut self) -> Parsed {
        let mut operand = self.primary()?;
        let mut length = 0;
        loop {
            length += 1;
            self.bounded(length)?;
            Self::shallow(&operand)?;
            let start = operand.range.start;
            if self.eat(".").is_some() {
                let optional = self.eat("?");
                if optional.is_some() && !self.syntax.optionals {
                    return Err(self.unsupported(optional, "unsupported syntax '.?'"));
                }
                let token = self.take();
                let (name, plain) = match token.kind {
                    TokenKind::Ident(name) => (name, true),
                    TokenKind::EscapedIdent(name) => (name, false),
                    _ => {
                        self.at -= usize::from(token.kind != TokenKind::End);
                        return Err(self.unexpected("the name of a field or function"));
                    }
                };
                if optional.is_some() {
                    let field = Expr::literal(&token.range, Literal::String(name));
                    let range = start..token.range.end;
                    operand = Expr::call(&range, "_?._", vec![operand, field]);
                } else if plain && self.peek_sign(0, "(") {
                    let args = self.arguments()?;
                    let range = start..self.last_end();
                    operand = self.call(range, name, Some(operand), args);
                } else {
                    let range = start..token.range.end;
                    let operand_box = Box::new(operand);
                    let kind = Kind::Select { operand: operand_box, field: name, test: false };
                    operand = Expr::new(range, kind);
                }
            } else if self.eat("[").is_some() {
                let optional = self.eat("?");
                if optional.is_some() && !self.syntax.optionals {
                    return Err(self.unsupported(optional, "unsupported syntax '[?'"));
                }
                let index = self.expr()?;
                let end = self.expect("]")?.end;
                let function = if optional.is_some() { "_[?_]" } else { "_[_]" };
                operand = Expr::call(&(start..end), function, vec![operand, index]);
            } else {
                return Ok(operand);
            }
        }
    }

    fn unsupported(&self, at: Option<Range<usize>>, message: &str) -> CompileError {
        let range = at.unwrap_or_else(|| self.peek().range.clone());
        CompileError { range, message: message.to_owned() }
    }

    fn last_end(&self) -> usize {
        self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).map_or(0, |it| it.range.end)
    }

    fn arguments(&mut self) -> Result<Vec<Expr>, CompileError> {
        self.expect("(")?;
        let mut args = Vec::new();
        if self.eat(")").is_some() {
            return Ok(args);
        }
        loop {
            args.push(self.expr()?);
            if self.eat(",").is_none() {
                self.expect(")")?;
                return Ok(args);
            }
        }
    }

    /// Expands a macro, or makes a call.
    fn call(
        &mut self,
        range: Range<usize>,
        function: Arc<str>,
        target: Option<Expr>,
        args: Vec<Expr>,
    ) -> Expr {
        match macros::expand(&range, &function, target, args, self.syntax) {
            macros::Expanded::Done(expr) => expr,
            macros::Expanded::Failed(error) => {
                self.errors.push(error);
                Expr::literal(&range, Literal::Null)
            }
            macros::Expanded::NoMacro(target, args) => {
                let kind = Kind::Call { function, target: target.map(Box::new), args };
                Expr::new(range, kind)
            }
        }
    }

    fn primary(&mut self) -> Parsed {
        let dot = self.eat(".");
        let token = self.take();
        let start = dot.as_ref().map_or(token.range.start, |it| it.start);
        let range = start..token.range.end;
        if let TokenKind::Ident(name) = token.kind {
            return self.name(dot.is_some(), &range, &name);
        }
        if dot.is_some() {
            self.at -= usize::from(token.kind != TokenKind::End);
            return Err(self.unexpected("a name"));
        }
        match token.kind {
            TokenKind::Sign("(") => {
                let mut inner = self.expr()?;
                let end = self.expect(")")?.end;
                inner.range = range.start..end;
                Ok(inner)
            }
            TokenKind::Sign("[") => self.list(range.start),
            TokenKind::Sign("{") => self.map(range.start),
            TokenKind::Sign("-") => {
                let digits = self.take();
                let range = range.start..digits.range.end;
                match digits.kind {
                    TokenKind::Int(text) => Ok(self.int(&range, true, &text)),
                    TokenKind::Double(text) => Ok(self.double(&range, true, &text)),
                    _ => {
                        self.at -= usize::from(digits.kind != TokenKind::End);
                        Err(self.unexpected("a number"))
                    }
                }
            }
            TokenKind::Int(text) => Ok(self.int(&range, false, &text)),
            TokenKind::Double(text) => Ok(self.double(&range, false, &text)),
            TokenKind::Literal(literal) => Ok(Expr::literal(&range, literal)),
            kind => {
                self.at -= usize::from(kind != TokenKind::End);
                Err(self.unexpected("an expression"))
            }
        }
    }

    fn int(&mut self, range: &Range<usize>, negative: bool, text: &str) -> Expr {
        let sign = if negative { "-" } else { "" };
        let value = match text.strip_prefix("0x") {
            Some(digits) => i64::from_str_radix(&format!("{sign}{digits}"), 16),
            None => format!("{sign}{text}").parse(),
        };
        if value.is_err() {
            let message = "invalid int literal".to_owned();
            self.errors.push(CompileError { range: range.clone(), message });
        }
        Expr::literal(range, Literal::Int(value.unwrap_or_default()))
    }

    fn double(&mut self, range: &Range<usize>, negative: bool, text: &str) -> Expr {
        let value: f64 = text.parse().unwrap_or(f64::INFINITY);
        if value.is_infinite() {
            let message = "invalid double literal".to_owned();
            self.errors.push(CompileError { range: range.clone(), message });
        }
        Expr::literal(range, Literal::Double(if negative { -value } else { value }))
    }

    /// Reads what begins with a name: a variable, a call, a message.
    fn name(&mut self, dot: bool, range: &Range<usize>, name: &Arc<str>) -> Parsed {
        let full: Arc<str> = if dot { Arc::from(format!(".{name}")) } else { Arc::clone(name) };
        if let Some(expr) = self.message(range.start, &full)? {
            return Ok(expr);
        }
        if RESERVED.contains(&&**name) {
            let message = format!("reserved identifier: {name}");
            self.errors.push(CompileError { range: range.clone(), message });
        }
        if self.peek_sign(0, "(") {
            let args = self.arguments()?;
            let range = range.start..self.last_end();
            return Ok(self.call(range, full, None, args));
        }
        Ok(Expr::new(range.clone(), Kind::Ident(full)))
    }

    /// Reads `a.b.C{field: value}`, where names and dots lead to a brace.
    fn message(&mut self, start: usize, first: &str) -> Result<Option<Expr>, CompileError> {
        let mut name = first.to_owned();
        let mut ahead = 0;
        while self.peek_sign(ahead, ".")
            && let Some(Token { kind: TokenKind::Ident(next), .. }) =
                self.tokens.get(self.at + ahead + 1)
        {
            name.push('.');
            name.push_str(next);
            ahead += 2;
        }
        if !self.peek_sign(ahead, "{") {
            return Ok(None);
        }
        self.at += ahead + 1;
        let mut fields = Vec::new();
        while !self.peek_sign(0, "}") {
            let optional = self.optional()?;
            let token = self.take();
            let (TokenKind::Ident(field) | TokenKind::EscapedIdent(field)) = token.kind else {
                self.at -= usize::from(token.kind != TokenKind::End);
                return Err(self.unexpected("the name of a field"));
            };
            self.expect(":")?;
            let value = self.expr()?;
            fields.push(FieldInit { range: token.range, optional, name: field, value });
            if self.eat(",").is_none() {
                break;
            }
        }
        let end = self.expect("}")?.end;
        let kind = Kind::Struct { name: Arc::from(name), fields };
        Ok(Some(Expr::new(start..end, kind)))
    }

    fn optional(&mut self) -> Result<bool, CompileError> {
        match self.eat("?") {
            Some(range) if !self.syntax.optionals => {
                Err(self.unsupported(Some(range), "unsupported syntax '?'"))
            }
            found => Ok(found.is_some()),
        }
    }

    fn list(&mut self, start: usize) -> Parsed {
        let mut items = Vec::new();
        while !self.peek_sign(0, "]") && !self.peek_sign(0, ",") {
            let optional = self.optional()?;
            items.push(Item { optional, value: self.expr()? });
            if self.eat(",").is_none() {
                break;
            }
            if self.peek_sign(0, ",") {
                return Err(self.unexpected("an item or `]`"));
            }
        }
        if items.is_empty() {
            self.eat(",");
        }
        let end = self.expect("]")?.end;
        Ok(Expr::new(start..end, Kind::List(items)))
    }

    fn map(&mut self, start: usize) -> Parsed {
        let mut entries = Vec::new();
        while !self.peek_sign(0, "}") && !self.peek_sign(0, ",") {
            let optional = self.optional()?;
            let key = self.expr()?;
            self.expect(":")?;
            let value = self.expr()?;
            entries.push(MapEntry { optional, key, value });
            if self.eat(",").is_none() {
                break;
            }
            if self.peek_sign(0, ",") {
                return Err(self.unexpected("a key or `}`"));
            }
        }
        if entries.is_empty() {
            self.eat(",");
        }
        let end = self.expect("}")?.end;
        Ok(Expr::new(start..end, Kind::Map(entries)))
    }
}
