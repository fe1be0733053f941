#include "services/curia/connect/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/assert.h"
#include "common/base/file.h"
#include "common/base/random.h"

enum { PATH_BYTES = 512, OPEN_S = 30 /* Envoy reads its configuration first of all */ };

static enum cu_err make_pipe(char path[PATH_BYTES], struct cu_diag *diag)
{
    uint64_t random;
    const char *tmp = getenv("TMPDIR");
    cu_random_bytes(&random, sizeof random);
    int len = snprintf(path, PATH_BYTES, "%s/envoy-%016llx-bootstrap.json",
                       tmp && *tmp ? tmp : "/tmp", (unsigned long long)random);
    if (len >= PATH_BYTES || mkfifo(path, 0600))
        return cu_fail(diag, CU_E_IO, "cannot make the pipe %s: %s", path, strerror(errno));
    return CU_OK;
}

/* In a process of its own: opening waits until Envoy opens the other end. */
static void serve(const char *path, struct cu_bytes bootstrap)
{
    (void)signal(SIGPIPE, SIG_IGN);
    (void)alarm(OPEN_S);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool is_read = fd >= 0 && cu_write_all(fd, bootstrap);
    (void)is_read; /* else Envoy has ended, and says why */
    (void)unlink(path);
    _exit(0);
}

/* Hot restart shares memory by a number that several Envoys of one host would have in common. */
static bool wants_hot_restart(char *const *args)
{
    static const char *const flags[] = {"--restart-epoch", "--hot-restart-version",
                                        "--drain-time-s", "--parent-shutdown-time-s"};
    for (; *args; args++)
        for (size_t i = 0; i < CU_COUNT(flags); i++)
            if (strncmp(*args, flags[i], strlen(flags[i])) == 0)
                return true;
    return false;
}

static char **arguments(const char *binary, const char *path, char *const *more)
{
    size_t count = 0, at = 0;
    while (more[count])
        count++;
    char **argv = cu_alloc((count + 6) * sizeof *argv);
    argv[at++] = cu_strdup(binary);
    argv[at++] = cu_strdup("--config-path");
    argv[at++] = cu_strdup(path);
    if (!wants_hot_restart(more))
        argv[at++] = cu_strdup("--disable-hot-restart");
    for (size_t i = 0; i < count; i++)
        argv[at++] = cu_strdup(more[i]);
    return argv;
}

static void free_arguments(char **argv)
{
    for (char **at = argv; *at; at++)
        free(*at);
    free(argv);
}

enum cu_err connect_launch(const char *binary, char *const *args, struct cu_bytes bootstrap,
                           struct cu_diag *diag)
{
    char path[PATH_BYTES];
    enum cu_err err = make_pipe(path, diag);
    if (err)
        return err;
    pid_t writer = fork();
    if (writer == 0)
        serve(path, bootstrap);
    if (writer < 0) {
        (void)unlink(path);
        return cu_fail(diag, CU_E_IO, "cannot fork: %s", strerror(errno));
    }
    char **argv = arguments(binary ? binary : "envoy", path, args);
    (void)execvp(argv[0], argv); /* Envoy ends when its parent does: it is this very process */
    err = cu_fail(diag, CU_E_IO, "cannot start %s: %s", argv[0], strerror(errno));
    free_arguments(argv);
    (void)kill(writer, SIGTERM);
    (void)unlink(path);
    return err;
}
