//! Rows by id, with the indexes that find them without looking at all of them.

use std::collections::BTreeMap;

/// A row that keeps its own place in an index.
pub trait Row {
    /// What is found without looking at every row.
    type Index: Clone + Default;

    /// Enters what the row is found by.
    fn enter(&self, id: i64, index: &mut Self::Index);
    /// Takes it out again: exactly what [`Row::enter`] entered.
    fn leave(&self, id: i64, index: &mut Self::Index);
}

/// Rows by id. A row is only changed through [`Table::change`], so that the index follows.
#[derive(Clone)]
pub struct Table<R: Row> {
    rows: BTreeMap<i64, R>,
    index: R::Index,
    /// The highest id ever given: none is given twice.
    last: i64,
}

impl<R: Row> Default for Table<R> {
    fn default() -> Self {
        Self { rows: BTreeMap::new(), index: R::Index::default(), last: 0 }
    }
}

impl<R: Row> Table<R> {
    /// The id that [`Table::add`] gives next.
    pub fn next_id(&self) -> i64 {
        self.last + 1
    }

    pub fn add(&mut self, row: R) -> i64 {
        let id = self.next_id();
        row.enter(id, &mut self.index);
        self.rows.insert(id, row);
        self.last = id;
        id
    }

    pub fn get(&self, id: i64) -> Option<&R> {
        self.rows.get(&id)
    }

    pub fn change<T>(&mut self, id: i64, change: impl FnOnce(&mut R) -> T) -> Option<T> {
        let row = self.rows.get_mut(&id)?;
        row.leave(id, &mut self.index);
        let result = change(row);
        row.enter(id, &mut self.index);
        Some(result)
    }

    pub fn remove(&mut self, id: i64) -> Option<R> {
        let row = self.rows.remove(&id)?;
        row.leave(id, &mut self.index);
        Some(row)
    }

    pub fn ids(&self) -> Vec<i64> {
        self.rows.keys().copied().collect()
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (i64, &R)> {
        self.rows.iter().map(|(id, row)| (*id, row))
    }

    pub fn index(&self) -> &R::Index {
        &self.index
    }
}

/// Sets by a name, in the order of names.
#[derive(Clone, Debug)]
pub struct Named<T>(BTreeMap<std::sync::Arc<str>, T>);

impl<T> Default for Named<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T: Default> Named<T> {
    pub fn get(&self, name: &str) -> Option<&T> {
        self.0.get(name)
    }

    /// What stands under `name`, made where nothing does.
    pub fn at(&mut self, name: &std::sync::Arc<str>) -> &mut T {
        if !self.0.contains_key(name) {
            self.0.insert(name.clone(), T::default());
        }
        self.0.get_mut(name).unwrap()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.0.iter().map(|(name, set)| (&**name, set))
    }
}
