//! org.freedesktop.systemd1.Mount, without the parts other kinds share: systemd.mount(5).

use super::exec_command::commands;
use super::words::result_word;
use super::{Emits::*, UnitCx, UnitRow, num, row, text};
use eudaemon_engine::api::Phase;
use eudaemon_engine::kind::mount;
use eudaemon_unit::values::mount_table::Mounted;
use zbus::Variant;

pub const MOUNT: &[UnitRow] = &[
    row("Where", "s", Const, |cx| text(&cx.mount().place)),
    row("What", "s", Value, |cx| text(either(cx, &cx.mount().what, |mounted| &mounted.what))),
    row("Options", "s", Value, |cx| text(either(cx, &cx.mount().options, |mounted| &mounted.options))),
    row("Type", "s", Value, |cx| text(either(cx, &cx.mount().kind, |mounted| &mounted.kind))),
    row("TimeoutUSec", "t", Const, |cx| num(cx.mount().timeout.0)),
    row("ControlPID", "u", Value, |cx| num(cx.mount_run().control_pid)),
    row("DirectoryMode", "u", Const, |cx| num(cx.mount().directory_mode)),
    row("SloppyOptions", "b", Const, |cx| num(cx.mount().sloppy_options)),
    row("LazyUnmount", "b", Const, |cx| num(cx.mount().lazy_unmount)),
    row("ForceUnmount", "b", Const, |cx| num(cx.mount().force_unmount)),
    row("ReadWriteOnly", "b", Const, |cx| num(cx.mount().read_write_only)),
    row("Result", "s", Value, |cx| text(result_word(cx.mount_run().result))),
    row("UID", "u", Value, |_| num(u32::MAX)),
    row("GID", "u", Value, |_| num(u32::MAX)),
    row("ExecMount", "a(sasbttttuii)", Invalidates, |cx| command(cx, Phase::Start)),
    row("ExecUnmount", "a(sasbttttuii)", Invalidates, |cx| command(cx, Phase::Stop)),
    row("ExecRemount", "a(sasbttttuii)", Invalidates, |cx| command(cx, Phase::Reload)),
];

/// What the kernel says goes before what is written.
fn either<'a>(cx: &'a UnitCx<'_>, written: &'a str, said: impl Fn(&Mounted) -> &str) -> &'a str {
    cx.mount_run().mounted.as_ref().map_or(written, said)
}

/// The command is made when it is called for: before, there is none.
fn command(cx: &UnitCx<'_>, phase: Phase) -> Variant<'static> {
    let ran = cx.mount_run().commands.iter().any(|(of, ..)| *of == phase);
    let command = mount::command(phase, &cx.unit.config, cx.mount()).filter(|_| ran);
    commands(cx, command.as_slice(), phase)
}
