#include "common/daemon/host.h"

#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/daemon/node_id.h"
#include "tests/lib/suite.h"

static struct cu_diag diag;

static const char *path_of(const char *name)
{
    static char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", suite_tmpdir(), name);
    return path;
}

START_TEST(the_node_id_is_made_once_and_kept) /* agent.md 1.2, contracts 9.5 */
{
    char first[CU_UUID_BYTES], again[CU_UUID_BYTES];
    struct stat info;
    ck_assert_int_eq(cu_node_id(suite_tmpdir(), first, &diag), CU_OK);
    ck_assert_int_eq(cu_node_id(suite_tmpdir(), again, &diag), CU_OK);
    ck_assert(cu_is_uuid(first));
    ck_assert_str_eq(first, again);
    ck_assert_int_eq(stat(path_of("node-id"), &info), 0);
    ck_assert_int_eq(info.st_size, 36);
    ck_assert_int_eq(info.st_mode & 0777, 0600);
}
END_TEST

START_TEST(processes_that_make_it_at_once_agree)
{
    enum { PROCESSES = 8 };
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    const char *folder = suite_tmpdir();
    for (int i = 0; i < PROCESSES; i++)
        if (!fork()) {
            char id[CU_UUID_BYTES];
            enum cu_err err = cu_node_id(folder, id, NULL);
            _exit(err || write(ends[1], id, 36) != 36);
        }
    char ids[PROCESSES][36];
    for (int i = 0; i < PROCESSES; i++) {
        int status;
        ck_assert(wait(&status) > 0 && status == 0);
        ck_assert_int_eq(read(ends[0], ids[i], 36), 36);
        ck_assert_int_eq(memcmp(ids[i], ids[0], 36), 0);
    }
}
END_TEST

START_TEST(a_file_without_a_uuid_is_refused_and_kept)
{
    char id[CU_UUID_BYTES];
    FILE *file = fopen(path_of("node-id"), "w");
    ck_assert(file && fputs("nonsense", file) >= 0 && !fclose(file));
    ck_assert_int_eq(cu_node_id(suite_tmpdir(), id, &diag), CU_E_CORRUPT);
    ck_assert_ptr_nonnull(strstr(diag.text, "remove the file"));
}
END_TEST

START_TEST(a_second_process_is_refused_by_the_pid_file_and_told_the_first)
{
    int ready[2], fd = -1, status;
    char byte = 0, pid[24];
    ck_assert_int_eq(pipe(ready), 0);
    char path[512];
    (void)snprintf(path, sizeof path, "%s", path_of("x.pid"));
    pid_t child = fork();
    if (!child) {
        enum cu_err err = cu_host_lock_pid_file(path, &fd, NULL);
        ssize_t put = write(ready[1], &byte, 1);
        (void)put;
        (void)pause();
        _exit(err ? 1 : 0);
    }
    ck_assert_int_eq(read(ready[0], &byte, 1), 1);
    (void)snprintf(pid, sizeof pid, "pid %ld", (long)child);
    ck_assert_int_eq(cu_host_lock_pid_file(path, &fd, &diag), CU_E_CONFLICT);
    ck_assert_ptr_nonnull(strstr(diag.text, pid));
    (void)kill(child, SIGKILL);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(cu_host_lock_pid_file(path, &fd, &diag), CU_OK); /* the lock died with it */
    (void)close(fd);
}
END_TEST

START_TEST(a_private_file_is_0600_and_replaced_whole)
{
    char text[16] = "";
    struct stat info;
    ck_assert_int_eq(cu_host_write_private(path_of("p"), "one", 3, &diag), CU_OK);
    ck_assert_int_eq(cu_host_write_private(path_of("p"), "two!", 4, &diag), CU_OK);
    ck_assert_int_eq(stat(path_of("p"), &info), 0);
    ck_assert_int_eq(info.st_mode & 0777, 0600);
    int fd = open(path_of("p"), O_RDONLY);
    ck_assert_int_eq(read(fd, text, sizeof text), 4);
    ck_assert_int_eq(memcmp(text, "two!", 4), 0);
    (void)close(fd);
    ck_assert_int_eq(cu_host_write_private("/no/such/folder/p", "x", 1, &diag), CU_E_IO);
}
END_TEST

START_TEST(a_folder_is_made_with_its_parents)
{
    struct stat info;
    ck_assert_int_eq(cu_host_make_dir(path_of("a/b/c"), 0750, &diag), CU_OK);
    ck_assert_int_eq(cu_host_make_dir(path_of("a/b/c"), 0750, &diag), CU_OK);
    ck_assert_int_eq(stat(path_of("a/b/c"), &info), 0);
    ck_assert_int_eq(info.st_mode & 0777, 0750);
    ck_assert_int_eq(cu_host_make_dir("/dev/null/x", 0750, &diag), CU_E_IO);
}
END_TEST

static void check_ready_reaches(struct sockaddr_un *at, socklen_t len, const char *name)
{
    char text[32] = "";
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)at, len), 0);
    ck_assert_int_eq(setenv("NOTIFY_SOCKET", name, 1), 0);
    cu_host_notify_ready();
    ck_assert_int_eq(recv(fd, text, sizeof text - 1, MSG_DONTWAIT), 7);
    ck_assert_str_eq(text, "READY=1");
    (void)close(fd);
}

START_TEST(readiness_reaches_a_path_and_an_abstract_name) /* sd_notify(3) */
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    (void)snprintf(at.sun_path, sizeof at.sun_path, "%s", path_of("n"));
    check_ready_reaches(&at, sizeof at, path_of("n"));
    char name[40];
    (void)snprintf(name, sizeof name, "@curia-test-%ld", (long)getpid());
    at = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(at.sun_path + 1, name + 1, strlen(name) - 1);
    check_ready_reaches(&at, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name)),
                        name);
}
END_TEST

SUITE_MAIN("common/daemon/host", the_node_id_is_made_once_and_kept,
           processes_that_make_it_at_once_agree, a_file_without_a_uuid_is_refused_and_kept,
           a_second_process_is_refused_by_the_pid_file_and_told_the_first,
           a_private_file_is_0600_and_replaced_whole, a_folder_is_made_with_its_parents,
           readiness_reaches_a_path_and_an_abstract_name)
