//! Which paths of the crate a source file names.

use proc_macro2::{TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

/// A path from the root of the crate that a file names: `crate::a::b` is `[a, b]`.
pub struct Edge {
    /// From 1.
    pub line: usize,
    /// Without `crate`; empty is the crate as a whole.
    pub to: Vec<String>,
}

/// All edges of the file that holds `module`: in `use` trees, in paths of code and types, in the tokens of macros and
/// in the text of attributes. Documentation may link anywhere.
pub fn edges_of(module: &[String], text: &str) -> syn::Result<Vec<Edge>> {
    let file = syn::parse_file(text)?;
    let mut walk = Walk { module: module.to_vec(), edges: Vec::new() };
    walk.visit_file(&file);
    Ok(walk.edges)
}

struct Walk {
    /// Where the code that is being looked at stands.
    module: Vec<String>,
    edges: Vec<Edge>,
}

impl Walk {
    /// Notes a path as written, if it starts at the root of the crate or climbs by `super`.
    fn note(&mut self, line: usize, written: &[String]) {
        if let Some(to) = resolve(&self.module, written) {
            self.edges.push(Edge { line, to });
        }
    }

    fn use_tree(&mut self, tree: &syn::UseTree, before: &mut Vec<String>) {
        let line = tree.span().start().line;
        match tree {
            syn::UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.use_tree(&path.tree, before);
                before.pop();
            }
            syn::UseTree::Group(group) => group.items.iter().for_each(|tree| self.use_tree(tree, before)),
            syn::UseTree::Glob(_) => self.note(line, before),
            syn::UseTree::Name(syn::UseName { ident }) | syn::UseTree::Rename(syn::UseRename { ident, .. }) => {
                // `a::{self}` is `a`; `self` and `super` at the start are kept for `resolve`.
                let itself = ident == "self" && !before.is_empty();
                if itself {
                    self.note(line, before);
                } else {
                    before.push(ident.to_string());
                    self.note(line, before);
                    before.pop();
                }
            }
        }
    }

    /// Paths among the tokens of a macro, which nobody has parsed.
    fn tokens(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            at += 1;
            match token {
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Ident(first) if is_root(&first.to_string()) => {
                    let line = first.span().start().line;
                    let mut path = vec![first.to_string()];
                    while let Some(next) = after_colons(&tokens, at) {
                        at += 2;
                        match next {
                            TokenTree::Ident(ident) => {
                                path.push(ident.to_string());
                                at += 1;
                            }
                            TokenTree::Group(group) => {
                                at += 1;
                                self.group_in_macro(line, &path, group.stream());
                                path.clear();
                                break;
                            }
                            _ => break,
                        }
                    }
                    if path.len() > 1 {
                        self.note(line, &path);
                    }
                }
                _ => {}
            }
        }
    }

    /// `{a::b, c}` after `crate::` in a macro: notes `crate::a` and `crate::c`.
    fn group_in_macro(&mut self, line: usize, before: &[String], group: TokenStream) {
        let mut starts = true;
        for token in group {
            match token {
                TokenTree::Ident(ident) if starts => {
                    let mut path = before.to_vec();
                    path.push(ident.to_string());
                    self.note(line, &path);
                    starts = false;
                }
                TokenTree::Punct(punct) => starts = punct.as_char() == ',',
                _ => starts = false,
            }
        }
    }
}

impl<'ast> Visit<'ast> for Walk {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.module.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.use_tree(&item.tree, &mut Vec::new());
    }

    fn visit_item_extern_crate(&mut self, item: &'ast syn::ItemExternCrate) {
        if item.ident == "self" || item.ident == "partyline" {
            self.edges.push(Edge { line: item.span().start().line, to: Vec::new() });
        }
    }

    /// `pub(in path)` says who may see, not whom we use.
    fn visit_vis_restricted(&mut self, _: &'ast syn::VisRestricted) {}

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let written: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        // A lone `self` or `crate` is a value or a keyword here, and no path.
        if written.len() > 1 {
            self.note(path.span().start().line, &written);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        self.visit_path(&item.path);
        self.tokens(item.tokens.clone());
    }

    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        let syn::Meta::List(list) = &attribute.meta else { return };
        self.tokens(list.tokens.clone());
        for token in list.tokens.clone() {
            let TokenTree::Literal(literal) = token else { continue };
            let text = literal.to_string();
            let path: Vec<String> = text.trim_matches('"').split("::").map(str::to_owned).collect();
            if path.len() > 1 {
                self.note(literal.span().start().line, &path);
            }
        }
    }
}

fn is_root(name: &str) -> bool {
    matches!(name, "crate" | "partyline" | "super" | "self")
}

/// What follows `::`, if that is what stands at `at`.
fn after_colons(tokens: &[TokenTree], at: usize) -> Option<&TokenTree> {
    let colon = |n: usize| matches!(tokens.get(n), Some(TokenTree::Punct(punct)) if punct.as_char() == ':');
    if colon(at) && colon(at + 1) { tokens.get(at + 2) } else { None }
}

/// The path from the root of the crate; `None` for names that begin elsewhere (other crates, names in scope).
fn resolve(module: &[String], written: &[String]) -> Option<Vec<String>> {
    let (first, mut rest) = written.split_first()?;
    let mut to = match first.as_str() {
        "crate" | "partyline" => Vec::new(),
        "self" => module.to_vec(),
        "super" => parent(module.to_vec()),
        _ => return None,
    };
    while let Some((_, after)) = rest.split_first().filter(|(next, _)| *next == "super") {
        to = parent(to);
        rest = after;
    }
    to.extend(rest.iter().cloned());
    Some(to)
}

fn parent(mut module: Vec<String>) -> Vec<String> {
    module.pop();
    module
}
