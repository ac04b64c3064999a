// counter [--daemon]: answers every connection on port 7003 with how many there were; SIGHUP begins anew. Built with
// eudaemon-kit it needs no code for where it was started: see the units beside it.
#include <eudaemon-kit.h>
#include <stdio.h>
#include <sys/socket.h>
#include <syslog.h>
#include <unistd.h>

int main(void) {
    struct eudaemon *daemon = eudaemon_new("counter");
    eudaemon_set_pid_file(daemon, "/run/counter.pid");
    eudaemon_set_socket(daemon, EUDAEMON_TCP, "counter", "127.0.0.1:7003");
    eudaemon_set_user(daemon, "nobody");
    struct eudaemon_life *life = eudaemon_start(daemon);
    if (!life) return eudaemon_exit_code(); // whoever started us knows why
    int listener = eudaemon_take(life, EUDAEMON_TCP, "counter");
    if (listener < 0 || eudaemon_ready(life) < 0) return eudaemon_fail(life, eudaemon_exit_code(), 0, NULL);
    for (int count = 0;;) {
        switch (eudaemon_wait(life, &listener, 1, -1, NULL)) {
        case EUDAEMON_READABLE: {
            char answer[100];
            int client = accept(listener, NULL, NULL);
            if (client < 0) break;
            int length = snprintf(answer, sizeof answer, "%d, pid %d, started by %s\n", ++count, getpid(), eudaemon_starter(life));
            send(client, answer, (size_t)length, MSG_NOSIGNAL);
            close(client);
            break;
        }
        case EUDAEMON_RELOAD:
            eudaemon_log(life, LOG_NOTICE, "begins anew");
            count = 0;
            eudaemon_reloaded(life);
            break;
        case EUDAEMON_STOP:
            return eudaemon_finish(life);
        default:
            return eudaemon_fail(life, eudaemon_exit_code(), 0, NULL);
        }
    }
}
