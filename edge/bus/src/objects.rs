//! The kinds of object there are, and the interfaces of each: which tables serve it.

use crate::methods::{self, Method, Signal};
use crate::properties::{
    self, Access, Emits, JobCx, ManagerCx, Parts, Source, UnitCx, interface_of_kind, of_kind,
};
use eudaemon_unit::name::UnitKind;

pub const LOG_CONTROL: &str = "org.freedesktop.LogControl1";

/// Our own interface of units.
pub const OURS: &str = "org.eudaemon1.Unit";

/// … and of the manager.
pub const OURS_OF_MANAGER: &str = "org.eudaemon1.Manager";

/// The objects we have, by kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Object {
    Manager,
    LogControl,
    Unit(UnitKind),
    Job,
    /// The directories of units and jobs: properties without any, and children.
    Directory,
}

/// One interface of an object.
pub struct Interface {
    pub name: &'static str,
    pub table: Table,
    /// In parts, as property tables are.
    pub methods: &'static [&'static [Method]],
    pub signals: &'static [Signal],
}

/// The property table of an interface.
#[derive(Clone, Copy)]
pub enum Table {
    Manager(Parts<<ManagerCx<'static> as Source>::Read>),
    Unit(Parts<<UnitCx<'static> as Source>::Read>),
    Job(Parts<<JobCx<'static> as Source>::Read>),
}

impl Object {
    pub const fn interfaces(self) -> &'static [Interface] {
        match self {
            Object::Manager => &[
                Interface {
                    name: "org.freedesktop.systemd1.Manager",
                    table: Table::Manager(properties::MANAGER),
                    methods: &[methods::MANAGER],
                    signals: methods::MANAGER_SIGNALS,
                },
                Interface {
                    name: OURS_OF_MANAGER,
                    table: Table::Manager(&[]),
                    methods: &[methods::OURS],
                    signals: &[],
                },
            ],
            Object::LogControl => &[Interface {
                name: LOG_CONTROL,
                table: Table::Manager(properties::LOG_CONTROL),
                methods: &[],
                signals: &[],
            }],
            Object::Job => &[Interface {
                name: "org.freedesktop.systemd1.Job",
                table: Table::Job(properties::JOB),
                methods: &[methods::JOB],
                signals: &[],
            }],
            Object::Unit(kind) => kind_interfaces(kind),
            Object::Directory => &[],
        }
    }
}

/// The kind's own interface, then the one all units have, then ours.
const fn kind_interfaces(kind: UnitKind) -> &'static [Interface] {
    macro_rules! with_unit {
        ($kind:ident, $methods:expr, $signals:expr) => {
            const {
                &[
                    Interface {
                        name: interface_of_kind(UnitKind::$kind),
                        table: Table::Unit(of_kind(UnitKind::$kind)),
                        methods: &[$methods],
                        signals: $signals,
                    },
                    Interface {
                        name: "org.freedesktop.systemd1.Unit",
                        table: Table::Unit(properties::UNIT),
                        methods: &[methods::UNIT],
                        signals: &[],
                    },
                    Interface {
                        name: OURS,
                        table: Table::Unit(&[properties::OURS]),
                        methods: &[],
                        signals: &[],
                    },
                ]
            }
        };
    }
    match kind {
        UnitKind::Service => with_unit!(Service, methods::SERVICE, &[]),
        UnitKind::Socket => with_unit!(Socket, methods::WITH_CGROUP, &[]),
        UnitKind::Mount => with_unit!(Mount, methods::WITH_CGROUP, &[]),
        UnitKind::Swap => with_unit!(Swap, methods::WITH_CGROUP, &[]),
        UnitKind::Slice => with_unit!(Slice, methods::WITH_CGROUP, &[]),
        UnitKind::Scope => with_unit!(Scope, methods::SCOPE, methods::SCOPE_SIGNALS),
        UnitKind::Target => with_unit!(Target, &[], &[]),
        UnitKind::Device => with_unit!(Device, &[], &[]),
        UnitKind::Automount => with_unit!(Automount, &[], &[]),
        UnitKind::Timer => with_unit!(Timer, &[], &[]),
        UnitKind::Path => with_unit!(Path, &[], &[]),
    }
}

impl Interface {
    pub fn each_property(&self, visit: &mut dyn FnMut(&'static str, &'static str, Emits, Access)) {
        fn each<F>(parts: Parts<F>, visit: &mut dyn FnMut(&'static str, &'static str, Emits, Access)) {
            for row in parts.iter().flat_map(|rows| rows.iter()) {
                visit(row.name, row.signature, row.emits, row.access);
            }
        }
        match self.table {
            Table::Manager(parts) => each(parts, visit),
            Table::Unit(parts) => each(parts, visit),
            Table::Job(parts) => each(parts, visit),
        }
    }
}
