//! Tokens to the tree of a template.

use std::collections::BTreeMap;

use super::lex::{self, Piece, Token};
use super::{Result, error};

/// How deep actions and brackets may stand in each other.
const DEPTH: usize = 100;

/// A template and those that it defines.
#[derive(Debug, Clone, Default)]
pub(super) struct Template {
    pub(super) body: Vec<Step>,
    pub(super) defined: BTreeMap<String, Vec<Step>>,
}

/// One step of a template.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Text(String),
    Put(Pipeline),
    If { condition: Pipeline, then: Vec<Self>, otherwise: Vec<Self> },
    With { value: Pipeline, then: Vec<Self>, otherwise: Vec<Self> },
    Range { over: Pipeline, each: Vec<Self>, otherwise: Vec<Self> },
    Call { name: String, with: Option<Pipeline> },
    Break,
    Continue,
}

/// Commands, each of which gets the value of the one before as its last argument.
#[derive(Debug, Clone, Default)]
pub(super) struct Pipeline {
    /// The variables that take the value; two for a range.
    pub(super) variables: Vec<String>,
    /// Whether they are there already.
    pub(super) assigns: bool,
    pub(super) commands: Vec<Vec<Operand>>,
}

/// A word of a command, with the fields that follow it.
#[derive(Debug, Clone)]
pub(super) struct Operand {
    pub(super) term: Term,
    pub(super) fields: Vec<String>,
}

#[derive(Debug, Clone)]
pub(super) enum Term {
    Dot,
    Variable(String),
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    Function(String),
    Inner(Pipeline),
}

/// Reads a template.
pub(super) fn parse(text: &str) -> Result<Template> {
    let mut parser =
        Parser { pieces: lex::pieces(text)?.into_iter(), template: Template::default() };
    let (body, end) = parser.steps(0)?;
    match end {
        End::Text => {
            parser.template.body = body;
            Ok(parser.template)
        }
        End::Closed => error("`end` closes nothing"),
        End::Else(_) => error("`else` belongs to nothing"),
    }
}

struct Parser {
    pieces: std::vec::IntoIter<Piece>,
    template: Template,
}

/// What ended a list of steps.
enum End {
    Text,
    Closed,
    Else(Vec<Token>),
}

impl Parser {
    fn steps(&mut self, depth: usize) -> Result<(Vec<Step>, End)> {
        if depth > DEPTH {
            return error("actions stand too deep in each other");
        }
        let mut steps = Vec::new();
        while let Some(piece) = self.pieces.next() {
            let tokens = match piece {
                Piece::Text(text) => {
                    if !text.is_empty() {
                        steps.push(Step::Text(text));
                    }
                    continue;
                }
                Piece::Action(tokens) => tokens,
            };
            let (word, rest) = match tokens.split_first() {
                Some((Token::Name(word), rest)) => (word.as_str(), rest),
                Some(_) => ("", tokens.as_slice()),
                None => return error("an action is empty"),
            };
            match word {
                "end" => return Ok((steps, End::Closed)),
                "else" => return Ok((steps, End::Else(rest.to_vec()))),
                "if" | "with" | "range" => steps.push(self.block(word, rest, depth)?),
                "break" => steps.push(Step::Break),
                "continue" => steps.push(Step::Continue),
                "define" | "block" => {
                    let Some((Token::Text(name), rest)) = rest.split_first() else {
                        return error(format!("`{word}` needs a name"));
                    };
                    let (body, end) = self.steps(depth + 1)?;
                    if !matches!(end, End::Closed) {
                        return error(format!("`{word}` is not closed"));
                    }
                    self.template.defined.insert(name.clone(), body);
                    if word == "block" {
                        let with = Some(pipeline(rest, depth)?);
                        steps.push(Step::Call { name: name.clone(), with });
                    }
                }
                "template" => {
                    let Some((Token::Text(name), rest)) = rest.split_first() else {
                        return error("`template` needs a name");
                    };
                    let with = if rest.is_empty() { None } else { Some(pipeline(rest, depth)?) };
                    steps.push(Step::Call { name: name.clone(), with });
                }
                _ => steps.push(Step::Put(pipeline(&tokens, depth)?)),
            }
        }
        Ok((steps, End::Text))
    }

    fn block(&mut self, word: &str, tokens: &[Token], depth: usize) -> Result<Step> {
        if depth > DEPTH {
            return error("actions stand too deep in each other");
        }
        let head = pipeline(tokens, depth)?;
        let (then, end) = self.steps(depth + 1)?;
        let otherwise = match end {
            End::Text => return error(format!("`{word}` is not closed")),
            End::Closed => Vec::new(),
            End::Else(rest) => match rest.split_first() {
                None => {
                    let (steps, end) = self.steps(depth + 1)?;
                    if !matches!(end, End::Closed) {
                        return error(format!("`{word}` is not closed"));
                    }
                    steps
                }
                // Another condition takes the end with it.
                Some((Token::Name(next), rest)) if next == "if" || next == "with" => {
                    vec![self.block(next, rest, depth + 1)?]
                }
                Some(_) => return error("after `else` only `if` or `with` may follow"),
            },
        };
        Ok(match word {
            "if" => Step::If { condition: head, then, otherwise },
            "with" => Step::With { value: head, then, otherwise },
            _ => Step::Range { over: head, each: then, otherwise },
        })
    }
}

fn pipeline(tokens: &[Token], depth: usize) -> Result<Pipeline> {
    if depth > DEPTH {
        return error("brackets stand too deep in each other");
    }
    let mut out = Pipeline::default();
    let mut rest = tokens;
    match tokens {
        [Token::Variable(a), Token::Comma, Token::Variable(b), Token::Declare, after @ ..] => {
            out.variables = vec![a.clone(), b.clone()];
            rest = after;
        }
        [Token::Variable(a), sign @ (Token::Declare | Token::Assign), after @ ..] => {
            out.variables = vec![a.clone()];
            out.assigns = *sign == Token::Assign;
            rest = after;
        }
        _ => {}
    }
    let mut command = Vec::new();
    while let Some((token, after)) = rest.split_first() {
        rest = after;
        let term = match token {
            Token::Pipe => {
                if command.is_empty() {
                    return error("a command is empty");
                }
                out.commands.push(std::mem::take(&mut command));
                continue;
            }
            Token::Field(name, joined) => {
                match command.last_mut() {
                    Some(Operand { fields, .. }) if *joined => fields.push(name.clone()),
                    _ => command.push(Operand { term: Term::Dot, fields: vec![name.clone()] }),
                }
                continue;
            }
            Token::Open => {
                let (inside, after) = bracket(rest)?;
                rest = after;
                Term::Inner(pipeline(inside, depth + 1)?)
            }
            Token::Dot => Term::Dot,
            Token::Variable(name) => Term::Variable(name.clone()),
            Token::Text(text) => Term::Text(text.clone()),
            Token::Int(value) => Term::Int(*value),
            Token::Float(value) => Term::Float(*value),
            Token::Name(name) => match name.as_str() {
                "nil" => Term::Nil,
                "true" => Term::Bool(true),
                "false" => Term::Bool(false),
                _ => Term::Function(name.clone()),
            },
            Token::Close | Token::Comma | Token::Declare | Token::Assign => {
                return error("a bracket, comma or assignment stands where none may");
            }
        };
        command.push(Operand { term, fields: Vec::new() });
    }
    if command.is_empty() {
        return error("a command is empty");
    }
    out.commands.push(command);
    Ok(out)
}

/// Splits at the bracket that closes an open one.
fn bracket(tokens: &[Token]) -> Result<(&[Token], &[Token])> {
    let mut open = 1_usize;
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Open => open += 1,
            Token::Close => open -= 1,
            _ => {}
        }
        if open == 0 {
            let (inside, rest) = tokens.split_at_checked(at).unwrap_or((tokens, &[]));
            return Ok((inside, rest.get(1..).unwrap_or_default()));
        }
    }
    error("a bracket is not closed")
}
