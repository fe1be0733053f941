/* fixture.h - a view before one or two catalogds that behave, and reads whose outcome is noted. */
#ifndef TESTS_VIEW_FIXTURE_H
#define TESTS_VIEW_FIXTURE_H

#include <pthread.h>

#include "common/view/view.h"
#include "tests/lib/fake_catalog.h"

enum { HOLD_MS = 400, KEPT_BYTES = 1024 * 1024, LONG_MS = 60000 };

extern struct cu_loop *loop;
extern struct fake_catalog *fakes[2];
extern struct cu_view *view;
extern pthread_t encoded_by; /* the thread that encoded last */

void open_view(size_t catalogs);
void close_view(void);
void up(void); /* waits until it is */

/* A read and what came of it. */
struct outcome {
    struct cu_view_read read;
    unsigned answers;
    enum cu_err err;
    uint64_t index, last_contact_ms;
    char body[64]; /* the format as a digit, then the value */
    size_t len;
};

void note(void *outcome, const struct cu_view_answer *answer); /* the `done` of them all */
void read_as(struct outcome *o, const char *key, uint64_t index, uint64_t wait_ms, unsigned format);
void read_key(struct outcome *o, const char *key);

#endif
