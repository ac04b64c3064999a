// daemon PORT [PIDFILE]: daemonizes itself the old way, then answers every connection on the port with its process number.
// The parent exits at once: whoever waits for the pid file has to wait for it to appear.
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *pid_file;

static void end(int signal) {
    (void)signal;
    if (pid_file) unlink(pid_file);
    _exit(0);
}

static void daemonize(void) {
    pid_t child = fork();
    if (child < 0) exit(1);
    if (child > 0) exit(0);
    setsid();
    umask(022);
    if (chdir("/") < 0) exit(1);
    for (int fd = 0; fd < 1024; fd++) close(fd);
    open("/dev/null", O_RDWR);
    if (dup(0) != 1 || dup(0) != 2) exit(1);
}

static int listen_on(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 16) < 0) exit(1);
    return fd;
}

int main(int argc, char **argv) {
    if (argc < 2) return 2;
    daemonize();
    signal(SIGTERM, end);
    int listener = listen_on(atoi(argv[1]));
    if (argc > 2) {
        pid_file = argv[2];
        FILE *file = fopen(pid_file, "w");
        if (!file) return 1;
        fprintf(file, "%d\n", getpid());
        fclose(file);
    }
    for (;;) {
        int connection = accept(listener, NULL, NULL);
        if (connection < 0) continue;
        dprintf(connection, "hello from c, pid %d\n", getpid());
        close(connection);
    }
}
