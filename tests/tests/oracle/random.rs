//! Numbers that are the same on every machine, so that a case is its number.

/// SplitMix64.
pub(crate) struct Random(u64);

impl Random {
    /// The numbers of one case.
    pub(crate) fn of_case(number: u64) -> Self {
        let mut random = Self(number);
        // Neighbours start far from each other.
        random.0 = random.next().rotate_left(17);
        random
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`, which is above 0.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    /// True this often in a hundred.
    pub(crate) fn percent(&mut self, often: usize) -> bool {
        self.below(100) < often
    }

    /// One of the items.
    pub(crate) fn pick<'a, T: ?Sized>(&mut self, items: &[&'a T]) -> &'a T {
        items[self.below(items.len())]
    }

    /// One of the texts.
    pub(crate) fn word(&mut self, words: &[&str]) -> String {
        self.pick(words).to_owned()
    }

    /// `text` with one small change: a character of it gone, doubled, or another there.
    pub(crate) fn damage(&mut self, text: &str, marks: &str) -> String {
        let mut characters: Vec<char> = text.chars().collect();
        let marks: Vec<char> = marks.chars().collect();
        let mark = marks[self.below(marks.len())];
        let at = self.below(characters.len() + 1);
        match self.below(4) {
            0 if at < characters.len() => drop(characters.remove(at)),
            1 if at < characters.len() => characters[at] = mark,
            2 if at < characters.len() => characters.insert(at, characters[at]),
            _ => characters.insert(at, mark),
        }
        characters.into_iter().collect()
    }
}
