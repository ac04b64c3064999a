//! Properties on their way into a message: read one by one while it is written, never held together.

use super::{Emits, JobCx, JobRow, ManagerCx, ManagerRow, Parts, Property, UnitCx, UnitParts, UnitRow};
use serde::ser::{Serialize, SerializeMap, Serializer};
use zbus::{Signature, Type, Variant};

/// What rows are read from.
pub trait Source {
    type Read: 'static;
    fn read(&self, row: &Property<Self::Read>) -> Variant<'_>;
}

impl Source for UnitCx<'_> {
    type Read = for<'a> fn(&'a UnitCx<'_>) -> Variant<'a>;
    fn read(&self, row: &UnitRow) -> Variant<'_> {
        (row.read)(self)
    }
}

impl Source for ManagerCx<'_> {
    type Read = for<'a> fn(&'a ManagerCx<'_>) -> Variant<'a>;
    fn read(&self, row: &ManagerRow) -> Variant<'_> {
        (row.read)(self)
    }
}

impl Source for JobCx<'_> {
    type Read = for<'a> fn(&'a JobCx<'_>) -> Variant<'a>;
    fn read(&self, row: &JobRow) -> Variant<'_> {
        (row.read)(self)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Only {
    All,
    /// Those whose change is announced with the value.
    Announced,
}

/// The values of some tables, as `a{sv}`.
pub struct Values<'a, C: Source> {
    cx: &'a C,
    tables: Vec<Parts<C::Read>>,
    only: Only,
}

impl<'a, C: Source> Values<'a, C> {
    /// All properties of these tables, one behind the other.
    pub fn all(cx: &'a C, tables: Vec<Parts<C::Read>>) -> Values<'a, C> {
        Values { cx, tables, only: Only::All }
    }

    fn rows(&self) -> impl Iterator<Item = &'static Property<C::Read>> {
        self.tables.iter().flat_map(|parts| parts.iter().flat_map(|rows| rows.iter()))
    }
}

impl<C: Source> Serialize for Values<'_, C> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for row in self.rows() {
            if self.only == Only::All || row.emits == Emits::Value {
                map.serialize_entry(row.name, &self.cx.read(row))?;
            }
        }
        map.end()
    }
}

impl<C: Source> Type for Values<'_, C> {
    const SIGNATURE: &'static Signature = &Signature::static_dict(&Signature::Str, &Signature::Variant);
}

/// What `PropertiesChanged` says of one interface: the values, and the names of what is too long to be sent.
/// `None` if nothing of it is ever announced.
pub fn announced<'a, 'm>(
    cx: &'a UnitCx<'m>,
    parts: UnitParts,
) -> Option<(Values<'a, UnitCx<'m>>, Vec<&'static str>)> {
    let rows = || parts.iter().flat_map(|rows| rows.iter());
    let invalidated =
        rows().filter(|row| row.emits == Emits::Invalidates).map(|row| row.name).collect::<Vec<_>>();
    let any = !invalidated.is_empty() || rows().any(|row| row.emits == Emits::Value);
    any.then(|| (Values { cx, tables: vec![parts], only: Only::Announced }, invalidated))
}
