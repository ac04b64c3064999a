//! The bytes of a plan: numbers little-endian and of fixed width, lists and texts behind a `u32` count, an
//! enum behind one byte. Both directions come from one declaration (`coded!`), so they cannot differ.
//!
//! Decoding is bounded by the input (a list is refused when it announces more entries than bytes are left)
//! and never panics.

use crate::limits;
use std::fmt;

/// Why bytes are no plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// Ends inside of something.
    Short,
    /// Goes on after the end.
    Trailing,
    /// A count, or the whole, is over its limit.
    TooLong,
    /// An enum's byte that names no variant.
    UnknownVariant {
        of: &'static str,
        byte: u8,
    },
    NotUtf8,
    /// Not written by this version of the program.
    Version(u8),
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Malformed::Short => f.write_str("ends too early"),
            Malformed::Trailing => f.write_str("has bytes after its end"),
            Malformed::TooLong => f.write_str("is longer than allowed"),
            Malformed::UnknownVariant { of, byte } => write!(f, "holds {byte} where a {of} is expected"),
            Malformed::NotUtf8 => f.write_str("holds text that is not UTF-8"),
            Malformed::Version(version) => write!(f, "is of version {version}, not {VERSION}"),
        }
    }
}

/// The first byte of a plan. Init survives an upgrade of the manager, so the two may disagree.
const VERSION: u8 = 1;

/// What has a place in the bytes of a plan.
pub(crate) trait Coded: Sized {
    fn put(&self, out: &mut Vec<u8>);
    fn take(input: &mut Input<'_>) -> Result<Self, Malformed>;
}

pub(crate) fn encode<T: Coded>(value: &T) -> Vec<u8> {
    let mut out = vec![VERSION];
    value.put(&mut out);
    out
}

pub(crate) fn decode<T: Coded>(bytes: &[u8]) -> Result<T, Malformed> {
    if bytes.len() > limits::PLAN_BYTES {
        return Err(Malformed::TooLong);
    }
    let mut input = Input { rest: bytes };
    match u8::take(&mut input)? {
        VERSION => {}
        other => return Err(Malformed::Version(other)),
    }
    let value = T::take(&mut input)?;
    if input.rest.is_empty() { Ok(value) } else { Err(Malformed::Trailing) }
}

/// The bytes not yet taken.
pub(crate) struct Input<'a> {
    rest: &'a [u8],
}

impl<'a> Input<'a> {
    fn bytes(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(Malformed::Short)?;
        self.rest = rest;
        Ok(taken)
    }

    /// A count of things that take at least one byte each.
    fn count(&mut self, limit: usize) -> Result<usize, Malformed> {
        let count = u32::take(self)? as usize;
        match count {
            _ if count > limit => Err(Malformed::TooLong),
            _ if count > self.rest.len() => Err(Malformed::Short),
            _ => Ok(count),
        }
    }
}

macro_rules! coded_numbers {
    ($($number:ty)*) => { $(
        impl Coded for $number {
            fn put(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }
            fn take(input: &mut Input<'_>) -> Result<$number, Malformed> {
                let bytes = input.bytes(size_of::<$number>())?;
                bytes.try_into().map(<$number>::from_le_bytes).map_err(|_| Malformed::Short)
            }
        }
    )* };
}
coded_numbers! { u8 u16 u32 u64 i8 i16 }

impl Coded for String {
    fn put(&self, out: &mut Vec<u8>) {
        (self.len() as u32).put(out);
        out.extend_from_slice(self.as_bytes());
    }
    fn take(input: &mut Input<'_>) -> Result<String, Malformed> {
        let count = input.count(limits::PLAN_BYTES)?;
        let text = std::str::from_utf8(input.bytes(count)?).map_err(|_| Malformed::NotUtf8)?;
        Ok(text.to_owned())
    }
}

impl<T: Coded> Coded for Vec<T> {
    fn put(&self, out: &mut Vec<u8>) {
        (self.len() as u32).put(out);
        self.iter().for_each(|item| item.put(out));
    }
    fn take(input: &mut Input<'_>) -> Result<Vec<T>, Malformed> {
        let count = input.count(limits::LIST)?;
        (0..count).map(|_| T::take(input)).collect()
    }
}

impl<T: Coded> Coded for Option<T> {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            None => out.push(0),
            Some(value) => {
                out.push(1);
                value.put(out);
            }
        }
    }
    fn take(input: &mut Input<'_>) -> Result<Option<T>, Malformed> {
        match u8::take(input)? {
            0 => Ok(None),
            1 => T::take(input).map(Some),
            byte => Err(Malformed::UnknownVariant { of: "option", byte }),
        }
    }
}

/// Declares enums and structs together with their bytes. A variant's number is its byte: never reuse one.
macro_rules! coded {
    ($( #[$meta:meta] )* pub struct $name:ident { $( $( #[$fmeta:meta] )* pub $field:ident : $fty:ty, )* } $($rest:tt)*) => {
        $( #[$meta] )*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name { $( $( #[$fmeta] )* pub $field: $fty, )* }

        impl crate::codec::Coded for $name {
            fn put(&self, out: &mut Vec<u8>) {
                $( self.$field.put(out); )*
            }
            fn take(input: &mut crate::codec::Input<'_>) -> Result<$name, crate::codec::Malformed> {
                Ok($name { $( $field: crate::codec::Coded::take(input)?, )* })
            }
        }
        coded! { $($rest)* }
    };
    ($( #[$meta:meta] )* pub enum $name:ident { $(
        $( #[$vmeta:meta] )* $byte:literal = $variant:ident
            $( ( $( $bind:ident : $tty:ty ),* ) )?
            $( { $( $( #[$fmeta:meta] )* $field:ident : $fty:ty ),* $(,)? } )? ,
    )* } $($rest:tt)*) => {
        $( #[$meta] )*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum $name {
            $( $( #[$vmeta] )* $variant $( ( $( $tty ),* ) )? $( { $( $( #[$fmeta] )* $field : $fty ),* } )?, )*
        }

        impl crate::codec::Coded for $name {
            fn put(&self, out: &mut Vec<u8>) {
                match self { $(
                    $name::$variant $( ( $( $bind ),* ) )? $( { $( $field ),* } )? => {
                        out.push($byte);
                        $( $( $bind.put(out); )* )?
                        $( $( $field.put(out); )* )?
                    }
                )* }
            }
            fn take(input: &mut crate::codec::Input<'_>) -> Result<$name, crate::codec::Malformed> {
                match <u8 as crate::codec::Coded>::take(input)? {
                    $( $byte => Ok($name::$variant
                        $( ( $( <$tty as crate::codec::Coded>::take(input)? ),* ) )?
                        $( { $( $field: crate::codec::Coded::take(input)? ),* } )?
                    ), )*
                    byte => Err(crate::codec::Malformed::UnknownVariant { of: stringify!($name), byte }),
                }
            }
        }
        coded! { $($rest)* }
    };
    () => {};
}
