#include "common/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "tests/lib/suite.h"

enum { BYTES = 1024 * 1024 /* more than a pipe holds */ };

static uint8_t sent[BYTES], came[BYTES + 1];
static size_t came_bytes;
static int pipe_ends[2];

/* The only reader: whoever writes more than the pipe holds is interrupted, having written a part.
 */
static void drain(int signal_number)
{
    (void)signal_number;
    ssize_t got;
    while ((got = read(pipe_ends[0], came + came_bytes, sizeof came - came_bytes)) > 0)
        came_bytes += (size_t)got;
}

START_TEST(what_is_interrupted_half_way_is_written_to_its_end)
{
    struct sigaction action = {.sa_handler = drain};
    struct itimerval often = {{0, 1000}, {0, 1000}}, never = {{0, 0}, {0, 0}};
    for (size_t i = 0; i < BYTES; i++)
        sent[i] = (uint8_t)(i * 7 + i / 251);
    ck_assert_int_eq(pipe(pipe_ends), 0);
    ck_assert_int_eq(fcntl(pipe_ends[0], F_SETFL, O_NONBLOCK), 0);
    ck_assert_int_eq(sigaction(SIGALRM, &action, NULL), 0);
    ck_assert_int_eq(setitimer(ITIMER_REAL, &often, NULL), 0);
    ck_assert(cu_write_all(pipe_ends[1], (struct cu_bytes){sent, BYTES}));
    ck_assert_int_eq(setitimer(ITIMER_REAL, &never, NULL), 0);
    drain(0);
    ck_assert_uint_eq(came_bytes, BYTES);
    ck_assert_int_eq(memcmp(came, sent, BYTES), 0);
}
END_TEST

START_TEST(a_write_that_finds_no_room_is_told)
{
    enum { ROOM = 8 };
    char path[512];
    struct stat info;
    struct rlimit limit = {ROOM, RLIM_INFINITY};
    (void)snprintf(path, sizeof path, "%s/full", suite_tmpdir());
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    ck_assert_int_ge(fd, 0);
    (void)signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    bool all = cu_write_all(fd, cu_bytes_of("12345678"));
    bool more = cu_write_all(fd, cu_bytes_of(""));
    ck_assert_int_eq(lseek(fd, 1, SEEK_SET), 1);
    bool over = cu_write_all(fd, cu_bytes_of("12345678"));
    int why = errno;
    limit.rlim_cur = RLIM_INFINITY;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    ck_assert(all && more);
    ck_assert(!over);
    ck_assert_int_eq(why, EFBIG);
    ck_assert_int_eq(fstat(fd, &info), 0);
    ck_assert_int_eq(info.st_size, ROOM);
    (void)close(fd);
}
END_TEST

START_TEST(a_folder_is_synced_by_path_and_below_another)
{
    int at = open("/", O_RDONLY | O_DIRECTORY);
    ck_assert_int_ge(at, 0);
    ck_assert(cu_sync_folder(AT_FDCWD, suite_tmpdir()));
    ck_assert(cu_sync_folder(at, suite_tmpdir() + 1));
    errno = 0;
    ck_assert(!cu_sync_folder(AT_FDCWD, "/no/such/folder"));
    ck_assert_int_eq(errno, ENOENT);
    ck_assert(!cu_sync_folder(AT_FDCWD, "/dev/null"));
    ck_assert_int_eq(errno, ENOTDIR);
    (void)close(at);
}
END_TEST

SUITE_MAIN("common/base/file", what_is_interrupted_half_way_is_written_to_its_end,
           a_write_that_finds_no_room_is_told, a_folder_is_synced_by_path_and_below_another)
