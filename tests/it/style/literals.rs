//! The string literals of Rust source, as the compiler reads them: without comments, escapes resolved, and without
//! what only tests see.

/// A string literal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Literal {
    /// The line that it begins on, from 1.
    pub line: usize,
    /// What it says.
    pub text: String,
}

/// The literals of `source` outside of items under `#[cfg(test)]`.
pub fn of(source: &str) -> Vec<Literal> {
    let mut reader = Reader { chars: source.chars().collect(), at: 0, bare: Vec::new(), found: Vec::new() };
    reader.read();
    let tests = test_items(&reader.bare);
    let is_test = |at: &usize| tests.iter().any(|(from, to)| (from..to).contains(&at));
    let line = |at: usize| 1 + reader.bare.iter().take(at).filter(|c| **c == '\n').count();
    let kept = reader.found.iter().filter(|(at, _)| !is_test(at));
    kept.map(|(at, text)| Literal { line: line(*at), text: text.clone() }).collect()
}

struct Reader {
    chars: Vec<char>,
    at: usize,
    /// The source, character for character, with blanks in place of comments and literals.
    bare: Vec<char>,
    /// Literals, by where they begin.
    found: Vec<(usize, String)>,
}

impl Reader {
    fn read(&mut self) {
        while let Some(c) = self.peek(0) {
            match (c, self.peek(1)) {
                ('/', Some('/')) => self.skip_while(|c| c != '\n'),
                ('/', Some('*')) => self.skip_block_comment(),
                ('"', _) => self.read_string(),
                ('\'', next) => self.skip_quote(next),
                (c, _) if c.is_alphanumeric() || c == '_' => self.read_word(),
                (c, _) => {
                    self.bare.push(c);
                    self.at += 1;
                }
            }
        }
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    /// Takes one character that is not code.
    fn take(&mut self) -> Option<char> {
        let c = self.peek(0)?;
        self.bare.push(if c == '\n' { '\n' } else { ' ' });
        self.at += 1;
        Some(c)
    }

    fn skip_while(&mut self, holds: fn(char) -> bool) {
        while self.peek(0).is_some_and(holds) {
            self.take();
        }
    }

    /// They nest.
    fn skip_block_comment(&mut self) {
        let mut depth = 0;
        loop {
            match (self.peek(0), self.peek(1)) {
                (Some('/'), Some('*')) => depth += 1,
                (Some('*'), Some('/')) => depth -= 1,
                (Some(_), _) => {
                    self.take();
                    continue;
                }
                (None, _) => return,
            }
            self.take();
            self.take();
            if depth == 0 {
                return;
            }
        }
    }

    /// A character, or the apostrophe of a lifetime.
    fn skip_quote(&mut self, next: Option<char>) {
        let is_character = next == Some('\\') || (next != Some('\'') && self.peek(2) == Some('\''));
        self.take();
        if is_character {
            if self.take() == Some('\\') {
                self.take();
            }
            self.skip_while(|c| c != '\'');
            self.take();
        }
    }

    /// A name, a number, or the prefix of a literal: `r`, `b`, `br`, `c`, `cr`.
    fn read_word(&mut self) {
        let start = self.at;
        while let Some(c) = self.peek(0).filter(|c| c.is_alphanumeric() || *c == '_') {
            self.bare.push(c);
            self.at += 1;
        }
        let word: String = self.chars[start..self.at].iter().collect();
        let hashes = self.chars[self.at..].iter().take_while(|c| **c == '#').count();
        let is_raw = matches!(&*word, "r" | "br" | "cr") && self.peek(hashes) == Some('"');
        if is_raw {
            self.read_raw(hashes);
        } else if word == "b" && self.peek(0) == Some('\'') {
            self.skip_quote(self.peek(1));
        }
    }

    fn read_raw(&mut self, hashes: usize) {
        let start = self.at;
        for _ in 0..=hashes {
            self.take();
        }
        let mut text = String::new();
        while let Some(c) = self.take() {
            let closes = c == '"' && (0..hashes).all(|ahead| self.peek(ahead) == Some('#'));
            if closes {
                for _ in 0..hashes {
                    self.take();
                }
                break;
            }
            text.push(c);
        }
        self.found.push((start, text));
    }

    fn read_string(&mut self) {
        let start = self.at;
        self.take();
        let mut text = String::new();
        while let Some(c) = self.take() {
            match c {
                '"' => break,
                '\\' => self.read_escape(&mut text),
                c => text.push(c),
            }
        }
        self.found.push((start, text));
    }

    fn read_escape(&mut self, text: &mut String) {
        match self.take() {
            // The end of a line, and the white space before what follows, are not part of it.
            Some('\n') => self.skip_while(char::is_whitespace),
            Some('n') => text.push('\n'),
            Some('t') => text.push('\t'),
            Some('r') => text.push('\r'),
            Some('0') => text.push('\0'),
            Some('x') => {
                let digits: String = (0..2).filter_map(|_| self.take()).collect();
                text.extend(u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32));
            }
            Some('u') => {
                let start = self.at;
                self.skip_while(|c| c != '}');
                let digits: String =
                    self.chars[start..self.at].iter().filter(|c| c.is_ascii_hexdigit()).collect();
                text.extend(u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32));
                self.take();
            }
            Some(c) => text.push(c),
            None => {}
        }
    }
}

/// Where items under `#[cfg(test)]` begin and end in code without literals and comments.
fn test_items(bare: &[char]) -> Vec<(usize, usize)> {
    let mark: Vec<char> = "#[cfg(test)]".chars().collect();
    let starts = (0..bare.len()).filter(|at| bare[*at..].starts_with(&mark));
    starts.map(|start| (start, item_end(bare, start))).collect()
}

/// The end of an item: a `;` outside of braces, or the brace that closes its first.
fn item_end(bare: &[char], start: usize) -> usize {
    let mut depth = 0;
    for (at, c) in bare.iter().enumerate().skip(start) {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => return at,
            '}' => depth -= 1,
            ';' if depth == 0 => return at,
            _ => {}
        }
    }
    bare.len()
}

#[test]
fn literals_are_read_as_the_compiler_reads_them() {
    let source = r####"
// "no"  /* "no" */
/* "no" /* "no" */ "no" */
fn f<'a>(x: &'a str) -> char {
    let _ = ("one \"two\" \u{41}\x42\n", '"', '\'', '\u{7b}', b'"', b"three", r"fo\ur", r#"fi"ve"#, br##"s"#ix"##);
    let r#match = "sev\
                   en"; // "no"
    '\\'
}
"####;
    let found: Vec<String> = of(source).into_iter().map(|one| one.text).collect();
    assert_eq!(found, ["one \"two\" AB\n", "three", "fo\\ur", "fi\"ve", "s\"#ix", "seven"]);
}

#[test]
fn what_only_tests_see_is_left_out_and_lines_are_counted() {
    let source = "const A: &str = \"a\";\n#[cfg(test)]\nuse x;\nconst B: &str = \"b }\";\n\
                  #[cfg(test)]\nmod tests {\n    const C: &str = \"} c\";\n    fn f() {}\n}\nconst D: &str = \"\n\";\n\
                  const E: &str = \"e\";\n";
    let found: Vec<(usize, String)> = of(source).into_iter().map(|one| (one.line, one.text)).collect();
    assert_eq!(found, [(1, "a".into()), (4, "b }".into()), (10, "\n".into()), (12, "e".into())]);
}

/// Of every file of the product: a literal that is read wrongly swallows code, which shows.
#[test]
fn no_literal_swallows_code() {
    for file in crate::tidy::source::production() {
        for Literal { line, text } in of(&file.text) {
            let swallowed =
                text.lines().any(|line| line.starts_with("pub fn ") || line.starts_with("use crate::"));
            assert!(!swallowed, "src/{}:{line} is not read as Rust reads it", file.path);
        }
    }
}
