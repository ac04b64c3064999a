/* A daemon for the tests: probe COMMAND FOLDER …; its files lie in the folder. */
#include "../eudaemon-kit.h"
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

static struct eudaemon_life *life;

static const char *in(const char *folder, const char *name) {
    static char paths[4][4096];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

/* Open work that takes until the daemon is asked to stop, and says so. */
static void *work(void *guest) {
    while (!eudaemon_is_stopping(life)) usleep(1000);
    eudaemon_log(life, 6, "the guest was waited for");
    eudaemon_guest_leaves(guest);
    return NULL;
}

/* Found at a registry for as long as it is ready. */
static int announced(struct eudaemon *daemon) {
    eudaemon_set_socket(daemon, EUDAEMON_TCP, "web", "127.0.0.1:0");
    struct eudaemon_announcement *web = eudaemon_announcement_new("web");
    eudaemon_announcement_set_socket(web, "web");
    eudaemon_announcement_add_tag(web, "v1");
    eudaemon_announcement_set_http(web, "/healthz", 10000);
    eudaemon_announce(daemon, EUDAEMON_CONSUL, web);
    life = eudaemon_start(daemon);
    if (!life) return eudaemon_exit_code();
    if (eudaemon_ready(life) < 0) return eudaemon_fail(life, eudaemon_exit_code(), 0, NULL);
    while (eudaemon_wait(life, NULL, 0, -1, NULL) == EUDAEMON_RELOAD) eudaemon_reloaded(life);
    return eudaemon_finish(life);
}

static int failed(void) { return eudaemon_fail(life, eudaemon_exit_code(), 0, NULL); }

static int serve(const char *folder, struct eudaemon *daemon) {
    eudaemon_set_pid_file(daemon, in(folder, "pid"));
    eudaemon_set_unix_socket(daemon, EUDAEMON_UNIX, "door", in(folder, "door"), 0600);
    eudaemon_set_stderr(daemon, in(folder, "log"));
    eudaemon_set_limit(daemon, RLIMIT_CORE, 0);
    eudaemon_set_stop_within(daemon, 20000);
    eudaemon_set_ready_within(daemon, 20000);
    life = eudaemon_start(daemon);
    if (!life) return eudaemon_exit_code();
    int door = eudaemon_take(life, EUDAEMON_UNIX, "door");
    if (door < 0 || eudaemon_ready(life) < 0) return failed();
    pthread_t thread;
    struct eudaemon_guest *guest = eudaemon_guest_comes(life);
    if (pthread_create(&thread, NULL, work, guest)) return eudaemon_fail(life, 71, errno, "no thread");
    eudaemon_status(life, "serves");
    for (int reloads = 0;;) {
        size_t which = 99;
        int moment = eudaemon_wait(life, &door, 1, 20000, &which);
        if (moment == EUDAEMON_READABLE && which == 0) {
            int client = accept(door, NULL, NULL);
            char answer[400];
            int length = snprintf(answer, sizeof answer, "pid %d, %s, reloads %d, invocation %s, watchdog %llu\n",
                getpid(), eudaemon_starter(life), reloads, eudaemon_invocation(life) ? eudaemon_invocation(life) : "none",
                (unsigned long long)eudaemon_watchdog(life));
            send(client, answer, (size_t)length, MSG_NOSIGNAL);
            close(client);
        } else if (moment == EUDAEMON_RELOAD) {
            if (++reloads == 1) eudaemon_reloaded(life);
            else eudaemon_reload_failed(life, "no second time");
        } else if (moment == EUDAEMON_STOP) {
            return eudaemon_finish(life);
        } else {
            return failed();
        }
    }
}

/* Calls that cannot be right: each says so and none crashes. */
static int misuse(void) {
    char name[4];
    size_t length;
    eudaemon_set_user(NULL, "nobody");
    eudaemon_free(NULL);
    eudaemon_guest_leaves(NULL);
    eudaemon_forget(NULL, 0);
    eudaemon_pid_file_free(NULL);
#define SAY(call) do { long long gave = (call); printf("%s: %lld: %s\n", #call, gave, eudaemon_error()); } while (0)
    SAY(eudaemon_start(NULL) != NULL);
    SAY(eudaemon_ready(NULL));
    SAY(eudaemon_wait(NULL, NULL, 3, 0, NULL));
    SAY(eudaemon_status(NULL, "x"));
    SAY(eudaemon_credential(NULL, "x", &length) != NULL);
    SAY(eudaemon_name(NULL, 0, name, sizeof name));
    SAY(eudaemon_pid_file_lock(NULL) != NULL);
    SAY(eudaemon_pid_file_running("/"));
    SAY(eudaemon_notify("\xff"));
    struct eudaemon *daemon = eudaemon_new("probe");
    eudaemon_set_socket(daemon, 77, "door", "x");
    eudaemon_set_limit(daemon, 4711, 0);
    eudaemon_set_user(daemon, NULL);
    SAY(eudaemon_start(daemon) != NULL);
    daemon = eudaemon_new(NULL);
    SAY(eudaemon_start(daemon) != NULL);
    daemon = eudaemon_new("probe");
    eudaemon_set_socket(daemon, EUDAEMON_TCP, "door", "127.0.0.1:0");
    eudaemon_set_unix_socket(daemon, EUDAEMON_UNIX, "door", "/nowhere/door", 0600);
    SAY(eudaemon_start(daemon) != NULL);
    daemon = eudaemon_new("probe");
    eudaemon_set_keep(daemon, 4000);
    SAY(eudaemon_start(daemon) != NULL);
    daemon = eudaemon_new("probe");
    eudaemon_set_notification_fd(daemon, -1);
    SAY(eudaemon_start(daemon) != NULL);
    daemon = eudaemon_new("probe");
    eudaemon_announce(daemon, 77, eudaemon_announcement_new("web"));
    SAY(eudaemon_start(daemon) != NULL);
    daemon = eudaemon_new("probe");
    struct eudaemon_announcement *web = eudaemon_announcement_new("web");
    eudaemon_announcement_set_address(web, "home");
    eudaemon_announcement_set_port(web, 80);
    eudaemon_announce(daemon, EUDAEMON_CONSUL, web);
    SAY(eudaemon_start(daemon) != NULL);
    daemon = eudaemon_new("probe");
    eudaemon_announce(daemon, EUDAEMON_AVAHI, eudaemon_announcement_new("web"));
    SAY(eudaemon_start(daemon) != NULL);
    eudaemon_announcement_free(NULL);
    eudaemon_announcement_set_port(NULL, 80);
    eudaemon_announce(NULL, EUDAEMON_AVAHI, NULL);
    const char *asked_for[] = {"probe", "service", "status"};
    SAY(eudaemon_answer_service(NULL, 0, NULL, "x", NULL, 0));
    SAY(eudaemon_answer_service(NULL, 3, asked_for, "x", NULL, 0));
    daemon = eudaemon_new("probe");
    SAY(eudaemon_answer_service(daemon, 1, asked_for, NULL, NULL, 1));
    SAY(eudaemon_answer_service(daemon, 3, asked_for, NULL, NULL, 0));
    SAY(eudaemon_answer_service(daemon, 3, asked_for, "x", NULL, 1));
    eudaemon_set_limit(daemon, 4711, 0);
    SAY(eudaemon_answer_service(daemon, 1, asked_for, "x", NULL, 0));
    SAY(eudaemon_answer_service(daemon, 3, asked_for, "x", NULL, 0));
    eudaemon_free(daemon);
    daemon = eudaemon_new("probe");
    eudaemon_set_user(daemon, "nobody-of-that-name");
    SAY(eudaemon_start(daemon) != NULL);
    SAY(eudaemon_exit_code());
    daemon = eudaemon_new("probe");
    life = eudaemon_start(daemon);
    if (!life) return 1;
    SAY(eudaemon_take(life, EUDAEMON_TCP, "door"));
    SAY(eudaemon_take(life, 0, "door"));
    SAY(eudaemon_take_any(life, "door"));
    SAY(eudaemon_take_connection(life));
    SAY(eudaemon_wait(life, NULL, 1, 0, NULL));
    SAY(eudaemon_log(life, 1024, "x"));
    SAY(eudaemon_store(life, "a:b", 0));
    SAY(eudaemon_store(life, "a", -1));
    SAY(eudaemon_name(life, 0, name, sizeof name));
    SAY(eudaemon_credential(life, "../x", &length) != NULL);
    return eudaemon_fail(life, 3, 0, NULL);
}

/* Two daemons after each other, the second in a child of the first; that one does not stop by itself. */
static int twice(void) {
    struct eudaemon *daemon = eudaemon_new("first");
    eudaemon_set_stop_within(daemon, 1000);
    life = eudaemon_start(daemon);
    if (!life) return eudaemon_exit_code();
    pid_t child = fork();
    if (child < 0) return 1;
    if (child > 0) {
        int status = 0;
        while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
        eudaemon_finish(life);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
    }
    daemon = eudaemon_new("second");
    eudaemon_set_stop_within(daemon, 1000);
    life = eudaemon_start(daemon);
    if (!life || eudaemon_ready(life) < 0) return 2;
    printf("%d\n", getpid());
    fflush(stdout);
    for (;;) pause();
}

/* Its own service, as people ask for it. */
static int asked(int count, char **words) {
    const char *arguments[] = {"serve", "/var/lib/probe"};
    struct eudaemon *daemon = eudaemon_new("probe");
    eudaemon_set_user(daemon, "daemon");
    int code = eudaemon_answer_service(daemon, count, (const char *const *)words, "Probes", arguments, 2);
    eudaemon_free(daemon);
    return code;
}

int main(int count, char **words) {
    int code = asked(count, words);
    if (code >= 0) return code;
    if (count > 1 && !strcmp(words[1], "announced")) return announced(eudaemon_new("probe"));
    if (count > 1 && !strcmp(words[1], "twice")) return twice();
    if (count > 2 && !strcmp(words[1], "serve")) {
        struct eudaemon *daemon = eudaemon_new("probe");
        if (count > 3 && !strcmp(words[3], "--background")) eudaemon_set_ground(daemon, EUDAEMON_BACKGROUND);
        return serve(words[2], daemon);
    }
    return misuse();
}
