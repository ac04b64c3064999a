//! Where units are found: a [`Tree`] to look through, a [`SearchPath`] to look along, an [`Index`] of what
//! lies there, and [`Index::find`], which says of one name which file, drop-ins and folders speak for it.
//!
//! The index reads each directory once, so that loading all units is linear; it is rebuilt, whole, at
//! daemon-reload, and [`Index::is_current`] tells cheaply whether that is due. systemd.unit(5), "Unit File Load Path".

mod find;
mod glob;
mod index;
mod memory;
mod search;
mod tree;

pub use find::{Found, Fragment, needs_no_file};
pub use glob::glob;
pub use index::{Index, Place, kind_may_alias, may_alias};
pub use memory::MemoryTree;
pub use search::{ALL_USERS, Environment, Scope, SearchPath, VENDOR_SYSTEM, VENDOR_USER, is_carried};
pub use tree::{Entry, Kind, Resolved, Sight, Tree, TreeError, base_name, join, parent, resolve};
