//! A line of type `swap`: systemd.swap(5).

use super::line::Line;
use super::options::Options;
use super::{Fstab, Swap, after_device, literal, unit_of_path};
use crate::files::Tree;
use crate::name::UnitKind;

impl<T: Tree + ?Sized> Fstab<'_, T> {
    pub(super) fn swap(&mut self, line: &Line, options: &Options<'_>) {
        if self.machine.swap == Swap::Left {
            return;
        }
        let Some(name) =
            line.what.starts_with('/').then(|| unit_of_path(&line.what, UnitKind::Swap)).flatten()
        else {
            return self.warn(&format!("{} is no path of a swap device or file", line.what));
        };
        self.device_dropins(line, options);
        let mut draft = self.draft();
        after_device(&mut draft, &line.what);
        draft.section("Swap").line("What", &literal(&line.what));
        if !["", "defaults"].contains(&options.text()) {
            draft.line("Options", &literal(options.text()));
        }
        if self.unit(&name, draft) && !options.is_set("noauto", "auto") {
            self.pull("swap.target", options, &name);
        }
        if options.has("x-systemd.makefs") {
            self.warn("x-systemd.makefs needs systemd's own generator; nothing is created on the device");
        }
    }
}
