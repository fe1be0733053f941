/* fault.h - what an error is over HTTP: a status and a sentence (http-api.md 1.4). */
#ifndef AGENT_FAULT_H
#define AGENT_FAULT_H

#include <stdbool.h>

#include "common/base/err.h"

enum { AGENT_FAULT_BYTES = 1024 };

struct agent_fault {
    unsigned status;
    char text[AGENT_FAULT_BYTES]; /* the body, cut at the limit */
};

/* Fills the fault and returns false, so `return agent_refuse(fault, 400, "...")`. */
bool agent_refuse(struct agent_fault *fault, unsigned status, const char *fmt, ...) CU_PRINTF(3, 4);

/* The fault for an error of the bus by the one table (contracts 1.9). `invalid_status` is the
 * route's own for CU_E_INVALID: 400 or 500. `text` is what came with the error. */
void agent_fault_of(struct agent_fault *fault, enum cu_err err, const char *text,
                    unsigned invalid_status);

/* Whether the table has a row for `err`; for the test that walks the enum. */
bool agent_fault_has_row(enum cu_err err);

#endif
