/* greeter [--daemon]: says hello on port 7007, until it is asked to stop. */
#include "eudaemon-kit.h"
#include <sys/socket.h>
#include <unistd.h>

int main(void) {
    struct eudaemon *daemon = eudaemon_new("greeter");
    eudaemon_set_pid_file(daemon, "/run/greeter.pid");
    eudaemon_set_socket(daemon, EUDAEMON_TCP, "greeter", "127.0.0.1:7007");
    struct eudaemon_life *life = eudaemon_start(daemon);
    if (!life) return eudaemon_exit_code(); /* whoever started us knows why */
    int listener = eudaemon_take(life, EUDAEMON_TCP, "greeter");
    if (listener < 0 || eudaemon_ready(life) < 0) return eudaemon_fail(life, eudaemon_exit_code(), 0, NULL);
    for (;;) {
        switch (eudaemon_wait(life, &listener, 1, -1, NULL)) {
        case EUDAEMON_READABLE: {
            int client = accept(listener, NULL, NULL);
            if (client < 0) break;
            send(client, "hello\n", 6, MSG_NOSIGNAL);
            close(client);
            break;
        }
        case EUDAEMON_RELOAD:
            eudaemon_reloaded(life);
            break;
        case EUDAEMON_STOP:
            return eudaemon_finish(life);
        default:
            return eudaemon_fail(life, eudaemon_exit_code(), 0, NULL);
        }
    }
}
