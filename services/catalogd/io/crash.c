#include "services/catalogd/io/crash.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/assert.h"
#include "common/base/buf.h"

enum { NOTE_BYTES = 16 };

static const int faults[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};

struct catalog_crash {
    int fd;
    uint64_t at;           /* the entry being applied; read by the signal handler */
    uint64_t index, count; /* as noted */
    struct sigaction before[CU_COUNT(faults)];
};

/* A signal handler is given nothing but a number: this is how it finds the note. */
static struct catalog_crash *noted;

static void put_u64(uint8_t *to, uint64_t v)
{
    for (int i = 0; i < 8; i++)
        to[i] = (uint8_t)(v >> (8 * i));
}

/* Async-signal-safe: a write, and the signal once more with what was set before. */
static void on_fault(int signal_number)
{
    struct catalog_crash *crash = noted;
    uint64_t at = __atomic_load_n(&crash->at, __ATOMIC_RELAXED);
    if (at) {
        uint8_t note[NOTE_BYTES];
        put_u64(note, at);
        put_u64(note + 8, at == crash->index ? crash->count + 1 : 1);
        ssize_t written = pwrite(crash->fd, note, sizeof(note), 0);
        (void)written; /* there is nobody left to tell */
        __atomic_store_n(&crash->at, 0, __ATOMIC_RELAXED);
    }
    for (size_t i = 0; i < CU_COUNT(faults); i++)
        if (faults[i] == signal_number)
            (void)sigaction(signal_number, &crash->before[i], NULL);
    (void)raise(signal_number);
}

static enum cu_err read_note(struct catalog_crash *crash, const char *path, struct cu_diag *diag)
{
    uint8_t note[NOTE_BYTES];
    ssize_t got = pread(crash->fd, note, sizeof(note), 0);
    if (got < 0)
        return cu_fail(diag, CU_E_IO, "cannot read %s: %s", path, strerror(errno));
    struct cu_reader r = cu_reader_of((struct cu_bytes){note, (size_t)got});
    uint64_t index = cu_read_u64le(&r), count = cu_read_u64le(&r);
    if (!r.failed) { /* empty or cut short: nothing was noted */
        crash->index = index;
        crash->count = count;
    }
    return CU_OK;
}

enum cu_err catalog_crash_open(const char *folder, struct catalog_crash **ret_crash,
                               struct cu_diag *diag)
{
    char path[4096];
    (void)snprintf(path, sizeof(path), "%s/crash", folder);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return cu_fail(diag, CU_E_IO, "cannot open %s: %s", path, strerror(errno));
    struct catalog_crash *crash = cu_alloc(sizeof(*crash));
    crash->fd = fd;
    enum cu_err err = read_note(crash, path, diag);
    if (err) {
        (void)close(fd);
        free(crash);
        return err;
    }
    CU_ASSERT(!noted);
    noted = crash;
    struct sigaction action = {.sa_handler = on_fault};
    for (size_t i = 0; i < CU_COUNT(faults); i++)
        (void)sigaction(faults[i], &action, &crash->before[i]);
    *ret_crash = crash;
    return CU_OK;
}

void catalog_crash_close(struct catalog_crash *crash)
{
    if (!crash)
        return;
    for (size_t i = 0; i < CU_COUNT(faults); i++)
        (void)sigaction(faults[i], &crash->before[i], NULL);
    noted = NULL;
    (void)close(crash->fd);
    free(crash);
}

bool catalog_crash_is_fatal(const struct catalog_crash *crash, uint64_t index)
{
    return index != 0 && crash->index == index && crash->count >= CATALOG_CRASHES_MAX;
}

void catalog_crash_at(struct catalog_crash *crash, uint64_t index)
{
    __atomic_store_n(&crash->at, index, __ATOMIC_RELAXED);
}
