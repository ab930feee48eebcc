//! Texts made of what chats give a meaning to.

/// A fast generator (xorshift): the same texts each time.
pub struct Texts(pub u64);

impl Texts {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % below
    }

    pub fn text(&mut self) -> String {
        const PIECES: &[&str] = &[
            "*",
            "**",
            "_",
            "__",
            "~",
            "~~",
            "`",
            "```",
            "\\",
            "\\\\",
            "#",
            "# ",
            "\n",
            "\n\n",
            "\n===\n",
            "\n---\n",
            "\n    ",
            "\t",
            "> ",
            ">>> ",
            "- ",
            "1. ",
            "|",
            "\n|-|-|\n",
            "[",
            "](",
            ")",
            "(https://evil.example)",
            "https://evil.example/",
            "www.evil.example",
            "evil.example/x",
            "a@evil.example",
            "@",
            "@here",
            "@everyone",
            "@channel",
            "<@",
            "<@&1>",
            "<!here>",
            "<#1>",
            "<:e:1>",
            "<http://evil.example|x>",
            "<",
            ">",
            ":",
            ":tada:",
            ":)",
            "&",
            "&lt;",
            "&#64;here",
            "$x$",
            "$",
            "=",
            "!",
            "![x](//evil.example)",
            "{",
            "}",
            "{{x}}",
            "\u{200B}",
            "\u{2424}",
            "\u{202E}",
            "\u{0}",
            "\u{a0}",
            "😀",
            "e\u{301}\u{302}",
            "here",
            "channel",
            "mailto:x",
            "tel:1",
            "~town-square",
            "<t:1:R>",
            "word ",
            " ",
            "é",
            "字",
            ".",
            "10:30",
            "‹",
            "﹩",
            "http:",
            "//evil",
        ];
        let mut text = String::from("x");
        for _ in 0..=self.next(6) {
            match self.next(12) {
                0 => text.extend(char::from_u32(u32::try_from(self.next(0x3000)).unwrap())),
                1 => text.push_str(&PIECES[self.next(PIECES.len())].repeat(1 + self.next(6))),
                _ => text.push_str(PIECES[self.next(PIECES.len())]),
            }
        }
        text
    }
}
