# The state before each line that changes something: two calls of the manager where nothing was changed.
exec >/dev/null 2>&1
cd /etc/systemd/system
rm -rf default.target t-tim.service dbus.service *.wants/t-also.service *.wants/t-inst@*.service /run/systemd/system/*.wants/t-*.service /run/systemd/system/t-tim.service
ln -sf ../t-tim.timer timers.target.wants/t-tim.timer
ln -sf ../t-simple.service multi-user.target.wants/t-simple.service
printf '[Service]\nExecStart=/bin/true\n' > t-tim.service
systemctl daemon-reload
systemctl stop q-long t-tim.service t-also
systemctl reset-failed
systemctl start t-simple t-notify
systemctl unset-environment FOO X
true
