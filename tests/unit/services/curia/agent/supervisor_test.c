#include "services/curia/agent/supervisor.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/lib/suite.h"

/* Daemons here are shell scripts; each writes its deeds to the file `deeds`. READY=1 needs a
 * datagram socket, which a shell has not: python3 sends it. */
#define TRAP "trap 'echo \"stop ${0##*/}\" >> \"$(dirname \"$0\")/deeds\"; exit 0' TERM\n"
#define READY                                                                                      \
    "python3 -c 'import os,socket;socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM)"                 \
    ".sendto(b\"READY=1\",os.environ[\"NOTIFY_SOCKET\"])'\n"
#define STAY "while :; do sleep 0.02; done\n"

static struct cu_loop *loop;
static struct supervisor *supervisor;
static struct cu_diag diag;
static unsigned readied;
static char folder[256];

static void write_daemon(const char *name, const char *body)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    ck_assert(file && fprintf(file, "#!/bin/sh\n%s", body) > 0 && !fclose(file));
    ck_assert_int_eq(chmod(path, 0755), 0);
}

static const char *deeds(void)
{
    static char text[4096];
    char path[512];
    (void)snprintf(path, sizeof path, "%s/deeds", folder);
    FILE *file = fopen(path, "r");
    size_t got = file ? fread(text, 1, sizeof text - 1, file) : 0;
    text[got] = '\0';
    if (file)
        (void)fclose(file);
    return text;
}

static void on_ready(void *arg)
{
    (void)arg;
    readied++;
    cu_loop_stop(loop);
}

static void open_all(const char *const *daemons)
{
    (void)snprintf(folder, sizeof folder, "%s", suite_tmpdir());
    loop = cu_loop_new();
    enum cu_err err = supervisor_new(&(struct supervisor_options){.loop = loop,
                                                                  .bin_dir = folder,
                                                                  .run_dir = folder,
                                                                  .daemons = daemons,
                                                                  .on_ready = on_ready},
                                     &supervisor, &diag);
    ck_assert_msg(!err, "%s", diag.text);
}

static void close_all(void)
{
    supervisor_free(supervisor);
    cu_loop_free(loop);
}

START_TEST(each_starts_once_the_former_is_ready_and_they_stop_in_reverse) /* contracts 9.3 */
{
    static const char *const daemons[] = {"one", "two", "three", NULL};
    (void)snprintf(folder, sizeof folder, "%s", suite_tmpdir());
    for (int i = 0; daemons[i]; i++)
        write_daemon(daemons[i],
                     "echo \"start ${0##*/}\" >> \"$(dirname \"$0\")/deeds\"\n" TRAP READY
                     "echo \"ready ${0##*/}\" >> \"$(dirname \"$0\")/deeds\"\n" STAY);
    open_all(daemons);
    supervisor_start(supervisor);
    cu_loop_run(loop);
    ck_assert(supervisor_is_ready(supervisor));
    supervisor_stop(supervisor);
    cu_loop_run(loop);
    const char *text = deeds();
    const char *order[] = {"start one",  "start two", "start three",
                           "stop three", "stop two",  "stop one"};
    const char *at = text;
    for (size_t i = 0; i < 6; i++) {
        at = strstr(at, order[i]);
        ck_assert_msg(at, "%s is not in its place in: %s", order[i], text);
    }
    ck_assert_ptr_null(supervisor_failure(supervisor));
    close_all();
}
END_TEST

START_TEST(one_that_ends_is_started_again) /* contracts 9.3 */
{
    static const char *const daemons[] = {"one", NULL};
    (void)snprintf(folder, sizeof folder, "%s", suite_tmpdir());
    /* the first life ends before it is ready, the second stays */
    write_daemon("one",
                 "d=$(dirname \"$0\")\nif [ ! -e \"$d/lived\" ]; then touch \"$d/lived\"; exit 3; "
                 "fi\n" TRAP READY STAY);
    open_all(daemons);
    supervisor_start(supervisor);
    cu_loop_run(loop);
    ck_assert_uint_eq(readied, 1);
    supervisor_stop(supervisor);
    cu_loop_run(loop);
    close_all();
}
END_TEST

START_TEST(three_failed_starts_in_a_row_end_all_with_its_message) /* contracts 9.3 */
{
    static const char *const daemons[] = {"one", "two", NULL};
    (void)snprintf(folder, sizeof folder, "%s", suite_tmpdir());
    write_daemon("one", TRAP READY STAY);
    write_daemon("two",
                 "echo x >> \"$(dirname \"$0\")/tries\"\necho 'two: port 1 is taken' >&2\nexit "
                 "1\n");
    open_all(daemons);
    supervisor_start(supervisor);
    cu_loop_run(loop);
    ck_assert_str_eq(supervisor_failure(supervisor), "two: port 1 is taken");
    ck_assert_ptr_nonnull(strstr(deeds(), "stop one"));
    char path[512];
    struct stat info;
    (void)snprintf(path, sizeof path, "%s/tries", folder);
    ck_assert(!stat(path, &info) && info.st_size == 3 * 2);
    close_all();
}
END_TEST

START_TEST(a_second_word_to_stop_kills_at_once)
{
    static const char *const daemons[] = {"one", NULL};
    (void)snprintf(folder, sizeof folder, "%s", suite_tmpdir());
    write_daemon("one", "trap '' TERM\n" READY "while :; do sleep 0.02; done\n");
    open_all(daemons);
    supervisor_start(supervisor);
    cu_loop_run(loop);
    struct cu_mono begin = cu_mono_now();
    supervisor_stop(supervisor);
    supervisor_stop(supervisor);
    cu_loop_run(loop);
    ck_assert_uint_lt(cu_mono_ms_between(begin, cu_mono_now()), SUPERVISOR_STOP_MS / 2);
    close_all();
}
END_TEST

START_TEST(a_missing_program_is_named_before_anything_starts)
{
    static const char *const daemons[] = {"nosuch", NULL};
    (void)snprintf(folder, sizeof folder, "%s", suite_tmpdir());
    loop = cu_loop_new();
    ck_assert_int_eq(supervisor_new(&(struct supervisor_options){.loop = loop,
                                                                 .bin_dir = folder,
                                                                 .run_dir = folder,
                                                                 .daemons = daemons,
                                                                 .on_ready = on_ready},
                                    &supervisor, &diag),
                     CU_E_IO);
    ck_assert_ptr_nonnull(strstr(diag.text, "cannot run"));
    cu_loop_free(loop);
}
END_TEST

SUITE_MAIN("curia/agent/supervisor", each_starts_once_the_former_is_ready_and_they_stop_in_reverse,
           one_that_ends_is_started_again, three_failed_starts_in_a_row_end_all_with_its_message,
           a_second_word_to_stop_kills_at_once, a_missing_program_is_named_before_anything_starts)
