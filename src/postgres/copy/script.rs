//! Takes `pg_dump`'s SQL apart into its entries, so that each can be run, skipped or handed to another session.
//!
//! Every entry begins with a comment `-- Name: …; Type: …; Schema: …; Owner: …`. Only such comments outside of strings,
//! quoted names and function bodies count.

/// An object's statements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// `TABLE`, `INDEX`, `FK CONSTRAINT`, …
    pub kind: String,
    /// As the comment says; for messages.
    pub name: String,
    /// The schema, `-` where there is none.
    pub schema: String,
    /// The statements without the change of owner.
    pub sql: String,
    /// `ALTER … OWNER TO …` statements, each with the role's unquoted name.
    pub owners: Vec<(String, String)>,
}

/// Splits a plain dump; the settings before the first entry are left out.
pub(super) fn entries(dump: &str) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut state = State::default();
    for line in dump.split_inclusive('\n') {
        let top = state.is_top();
        state.eat(line);
        if top {
            if let Some(header) = line.strip_prefix("-- Name: ") {
                entries.extend(entry(header.trim_end()));
                continue;
            }
            // psql's own commands (\restrict) and comments are not for the server.
            if line.starts_with("--") || line.starts_with('\\') {
                continue;
            }
            if let Some((owner, statement)) = owner(line) {
                if let Some(entry) = entries.last_mut() {
                    entry.owners.push((statement, owner));
                }
                continue;
            }
        }
        if let Some(entry) = entries.last_mut() {
            entry.sql.push_str(line);
        }
    }
    entries
}

fn entry(header: &str) -> Option<Entry> {
    // The name may hold anything, also "; Type: "; the rest may not, so it is read from the right.
    // What nobody owns (an extension's comment) has nothing behind the colon.
    let (rest, _owner) = header.rsplit_once("; Owner:")?;
    let (rest, schema) = rest.rsplit_once("; Schema: ")?;
    let (name, kind) = rest.rsplit_once("; Type: ")?;
    let text = str::to_owned;
    Some(Entry { kind: text(kind), name: text(name), schema: text(schema), sql: String::new(), owners: Vec::new() })
}

/// `ALTER TABLE a.b OWNER TO "c d";` → the role and the statement.
fn owner(line: &str) -> Option<(String, String)> {
    let statement = line.trim_end();
    if !statement.starts_with("ALTER ") {
        return None;
    }
    let (_, role) = statement.strip_suffix(';')?.rsplit_once(" OWNER TO ")?;
    let role = match role.strip_prefix('"').and_then(|role| role.strip_suffix('"')) {
        Some(quoted) => quoted.replace("\"\"", "\""),
        None => role.to_owned(),
    };
    Some((role, statement.to_owned()))
}

/// Where in the lexical structure of SQL a line begins.
#[derive(Default)]
struct State {
    inside: Option<Inside>,
}

enum Inside {
    Quote { closing: char, backslash: bool },
    Dollar(String),
    Comment(u32),
}

impl State {
    fn is_top(&self) -> bool {
        self.inside.is_none()
    }

    fn eat(&mut self, line: &str) {
        let mut rest = line;
        let mut before = ' ';
        while let Some(first) = rest.chars().next() {
            let step = match &mut self.inside {
                Some(Inside::Quote { closing, backslash }) => {
                    if *backslash && first == '\\' {
                        rest.chars().take(2).map(char::len_utf8).sum()
                    } else {
                        // A doubled quote closes and opens again, which comes to the same.
                        if first == *closing {
                            self.inside = None;
                        }
                        first.len_utf8()
                    }
                }
                Some(Inside::Dollar(tag)) => {
                    if rest.starts_with(tag.as_str()) {
                        let length = tag.len();
                        self.inside = None;
                        length
                    } else {
                        first.len_utf8()
                    }
                }
                Some(Inside::Comment(depth)) => {
                    if rest.starts_with("*/") {
                        *depth -= 1;
                        if *depth == 0 {
                            self.inside = None;
                        }
                        2
                    } else if rest.starts_with("/*") {
                        *depth += 1;
                        2
                    } else {
                        first.len_utf8()
                    }
                }
                None => {
                    if rest.starts_with("--") {
                        return;
                    }
                    self.open(rest, first, before)
                }
            };
            before = first;
            rest = &rest[step..];
        }
    }

    fn open(&mut self, rest: &str, first: char, before: char) -> usize {
        match first {
            '\'' => self.inside = Some(Inside::Quote { closing: '\'', backslash: matches!(before, 'E' | 'e') }),
            '"' => self.inside = Some(Inside::Quote { closing: '"', backslash: false }),
            '/' if rest.starts_with("/*") => {
                self.inside = Some(Inside::Comment(1));
                return 2;
            }
            '$' if !before.is_alphanumeric() && before != '_' && before != '$' => {
                if let Some(end) = rest[1..].find('$') {
                    let tag = &rest[..end + 2];
                    if tag[1..=end].chars().all(|c| c.is_alphanumeric() || c == '_') {
                        self.inside = Some(Inside::Dollar(tag.to_owned()));
                        return tag.len();
                    }
                }
            }
            _ => {}
        }
        first.len_utf8()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DUMP: &str = "SET x = 1;\n\\restrict abc\n\n--\n-- Name: f(); Type: FUNCTION; Schema: public; Owner: shop\n--\n\n\
        CREATE FUNCTION public.f() RETURNS text LANGUAGE sql AS $_$\n--\n-- Name: fake; Type: TABLE; Schema: x; Owner: y\n--\n\
        ALTER TABLE x OWNER TO y;\nselect 'it''s'$_$;\n\n\nALTER FUNCTION public.f() OWNER TO \"가게 \"\"x\"\"\";\n\n--\n\
        -- Name: a; Type: b; Type: TABLE; Schema: public; Owner: shop\n--\n\nCREATE TABLE public.\"a; Type: b\" (\n    \
        t text DEFAULT E'\\'\n-- Name: no; Type: no; Schema: no; Owner: no\n'\n);\n\n\\unrestrict abc\n";

    #[test]
    fn an_entry_without_owner_is_one_of_its_own() {
        let dump = "--\n-- Name: hstore; Type: EXTENSION; Schema: -; Owner: -\n--\n\nCREATE EXTENSION hstore;\n\n--\n\
            -- Name: EXTENSION hstore; Type: COMMENT; Schema: -; Owner: \n--\n\nCOMMENT ON EXTENSION hstore IS 'x';\n";
        let kinds: Vec<_> = entries(dump).into_iter().map(|entry| (entry.kind, entry.name)).collect();
        let expected = [("EXTENSION", "hstore"), ("COMMENT", "EXTENSION hstore")];
        assert_eq!(kinds, expected.map(|(kind, name)| (kind.to_owned(), name.to_owned())));
    }

    #[test]
    fn entries_are_found_outside_of_bodies_and_strings_only() {
        let entries = entries(DUMP);
        assert_eq!(entries.len(), 2);
        assert_eq!(entries[0].kind, "FUNCTION");
        assert_eq!(entries[0].owners.len(), 1);
        assert_eq!(entries[0].owners[0].1, "가게 \"x\"");
        assert!(entries[0].sql.contains("Name: fake") && entries[0].sql.contains("ALTER TABLE x"));
        assert_eq!((entries[1].name.as_str(), entries[1].kind.as_str()), ("a; Type: b", "TABLE"));
        assert!(entries[1].sql.contains("Name: no") && !entries[1].sql.contains("restrict"));
    }
}
