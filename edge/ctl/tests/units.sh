# The units that lines.txt is about: one of each kind, and one for each way to fail.
D=/run/systemd/system; E=/etc/systemd/system
mkdir -p $E /run/systemd/system/t-simple.service.d $E/t-simple.service.d
printf '[Unit]\nRequires=q-dep.service\nAfter=q-dep.service\n[Service]\nExecStart=/bin/sleep 100\n' > $D/q-needs.service
printf '[Service]\nType=oneshot\nExecStart=/bin/false\n' > $D/q-dep.service
printf '[Service]\nType=notify\nTimeoutStartSec=1\nExecStart=/bin/sleep 100\n' > $D/q-timeout.service
printf '[Unit]\nAssertPathExists=/nope\n[Service]\nExecStart=/bin/sleep 100\n' > $D/q-assert.service
printf '[Unit]\nConditionPathExists=/nope\nConditionPathExists=!/etc\nConditionPathExists=|/x\n[Service]\nExecStart=/bin/sleep 100\n' > $D/q-cond.service
printf '[Service]\nType=oneshot\nExecStart=/nonexistent/x\n' > $D/q-noexec.service
printf '[Service]\nExecStart=/bin/sleep 30\nType=oneshot\n' > $D/q-long.service
printf '[Service]\nType=simple\nExecStart=/nonexistent/x\n' > $D/q-simplenoexec.service
printf '[Unit]\nRefuseManualStop=yes\n[Service]\nExecStart=/bin/sleep 100000\n' > $D/q-norm.service
printf '[Unit]\nStartLimitBurst=1\nStartLimitIntervalSec=100\n[Service]\nType=oneshot\nExecStart=/bin/true\n' > $D/q-lim.service
printf '[Service]\nUser=nosuchuser\nType=oneshot\nExecStart=/bin/true\n' > $D/q-nouser.service
printf '[Service]\nType=oneshot\nExecStart=/bin/sh -c "kill -SEGV $$$$"\n' > $D/q-sig.service
printf '[Unit]\nDescription=Test simple\nDocumentation=man:foo(8) https://example.org/\n[Service]\nExecStart=/bin/sleep 100000\nExecReload=/bin/true\nEnvironment=A=1 "B=two words"\nEnvironmentFile=-/etc/default/nope\nRestart=on-failure\nBindPaths=/etc/hostname:/tmp/h -/nope:/x:norbind\nTemporaryFileSystem=/mnt/zz:ro\nSystemCallFilter=@system-service\nRestrictNamespaces=net user\nRestrictAddressFamilies=AF_UNIX\nCPUAffinity=0 1\nAmbientCapabilities=CAP_NET_RAW\nLogExtraFields=A=b C=d\nIPAddressAllow=10.0.0.0/8 ::1\nDeviceAllow=/dev/null rw\nStandardInputText=hello\nSuccessExitStatus=3 SIGUSR1\nSELinuxContext=-foo\nExecStartPre=-/bin/false\nExecStartPre=/bin/echo "a b"\n[Install]\nWantedBy=multi-user.target\nAlias=t-alias.service\n' > $E/t-simple.service
printf '[Service]\nNice=5\n' > $E/t-simple.service.d/10-a.conf
printf '[Service]\nUMask=0027\n' > $E/t-simple.service.d/20-b.conf
printf '[Service]\nLimitNOFILE=2000\n' > $D/t-simple.service.d/30-c.conf
printf '[Service]\nType=notify\nNotifyAccess=all\nExecStart=/bin/sh -c "systemd-notify --ready --status=\\"hello there\\"; exec sleep 100000"\n' > $E/t-notify.service
printf '[Timer]\nOnBootSec=1h\nOnUnitActiveSec=1h\nOnCalendar=daily\n[Install]\nWantedBy=timers.target\n' > $E/t-tim.timer
printf '[Service]\nExecStart=/bin/true\n' > $E/t-tim.service
printf '[Unit]\nDescription=Sock\n[Socket]\nListenStream=/run/t-sock\nListenDatagram=/run/t-sockd\n[Install]\nWantedBy=sockets.target\n' > $E/t-sock.socket
printf '[Service]\nExecStart=/bin/sleep 100000\n' > $E/t-sock.service
printf '[Socket]\nListenStream=127.0.0.1:999\nAccept=yes\n' > $E/t-acc.socket
printf '[Service]\nExecStart=/bin/cat\nStandardInput=socket\n' > $E/t-acc@.service
printf '[Path]\nPathExists=/run/zzz\n[Install]\nWantedBy=multi-user.target\n' > $E/t-path.path
printf '[Service]\nExecStart=/bin/true\n' > $E/t-path.service
printf '[Service]\nFoo=bar\n' > $E/t-bad.service
ln -sf /dev/null $E/t-masked.service
printf '[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\nExecStop=/bin/true\n[Install]\nWantedBy=multi-user.target\nAlso=t-tim.timer\n' > $E/t-also.service
printf '[Service]\nExecStart=/bin/sh -c "exit 7"\n' > $E/t-fail.service
printf '[Service]\nExecStart=/bin/sleep 10\nRuntimeMaxSec=500\n' > $E/t-max.service
printf '[Service]\nExecStart=/bin/sleep 100000\n[Install]\nDefaultInstance=x\nWantedBy=multi-user.target\n' > $E/t-inst@.service
printf '[Unit]\nAllowIsolate=yes\nRequires=multi-user.target\n' > $E/t-iso.target
printf '[Unit]\nRefuseManualStart=yes\n[Service]\nExecStart=/bin/true\n' > $E/t-nf.service
printf '[Service]\nType=forking\nExecStart=/bin/sh -c "sleep 100000 & sleep 100001 & exit 0"\n' > $E/t-fork.service
printf '[Mount]\nWhat=tmpfs\nWhere=/mnt/tm\nType=tmpfs\n' > $E/mnt-tm.mount
systemctl daemon-reload
systemctl enable -q t-simple t-tim.timer t-sock.socket t-path.path
systemctl start t-simple t-notify t-tim.timer t-sock.socket t-path.path t-acc.socket t-also t-fork q-norm mnt-tm.mount t-max
systemctl start t-fail; systemctl start q-cond
