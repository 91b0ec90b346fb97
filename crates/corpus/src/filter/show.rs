//! Prints a filter so that parsing the print gives the same filter back.

use std::fmt::{Display, Formatter, Result};

use super::parse::{is_bare, is_keyword};
use super::{Filter, Literal, Node, Order, Test};

impl Display for Filter {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        self.0.fmt(out)
    }
}

impl Display for Node {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        match self {
            Node::Or(nodes) => {
                joined(out, nodes, " or ", |out, node| guarded(out, node, is_or(node)))
            }
            Node::And(nodes) => {
                joined(out, nodes, " and ", |out, node| guarded(out, node, is_chain(node)))
            }
            Node::Not(node) => {
                out.write_str("not ")?;
                guarded(out, node, is_chain(node))
            }
            Node::Test { path, test: Test::Exists } => {
                out.write_str("exists ")?;
                joined(out, path, ".", |out, key| show_key(out, key))
            }
            Node::Test { path, test } => {
                joined(out, path, ".", |out, key| show_key(out, key))?;
                test.fmt(out)
            }
        }
    }
}

impl Display for Test {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        match self {
            Test::Exists => Ok(()),
            Test::Equal(literal) => write!(out, " = {literal}"),
            Test::NotEqual(literal) => write!(out, " != {literal}"),
            Test::Order(order, literal) => write!(out, " {order} {literal}"),
            Test::In(literals) => {
                out.write_str(" in (")?;
                joined(out, literals, ", ", |out, literal| literal.fmt(out))?;
                out.write_str(")")
            }
        }
    }
}

impl Display for Order {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        out.write_str(match self {
            Order::Less => "<",
            Order::LessOrEqual => "<=",
            Order::Greater => ">",
            Order::GreaterOrEqual => ">=",
        })
    }
}

impl Display for Literal {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        match self {
            Literal::Boolean(value) => write!(out, "{value}"),
            Literal::Number(value) => write!(out, "{value}"),
            Literal::Text(value) => show_quoted(out, value),
        }
    }
}

fn is_or(node: &Node) -> bool {
    matches!(node, Node::Or(_))
}

fn is_chain(node: &Node) -> bool {
    matches!(node, Node::Or(_) | Node::And(_))
}

fn guarded(out: &mut Formatter<'_>, node: &Node, parentheses: bool) -> Result {
    if parentheses { write!(out, "({node})") } else { write!(out, "{node}") }
}

fn joined<T>(
    out: &mut Formatter<'_>,
    items: &[T],
    between: &str,
    show: impl Fn(&mut Formatter<'_>, &T) -> Result,
) -> Result {
    for (place, item) in items.iter().enumerate() {
        if place > 0 {
            out.write_str(between)?;
        }
        show(out, item)?;
    }
    Ok(())
}

fn show_key(out: &mut Formatter<'_>, key: &str) -> Result {
    let bare = !key.is_empty() && key.chars().all(|c| is_bare(c) && c != '.') && !is_keyword(key);
    if bare { out.write_str(key) } else { show_quoted(out, key) }
}

fn show_quoted(out: &mut Formatter<'_>, text: &str) -> Result {
    write!(out, "\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
