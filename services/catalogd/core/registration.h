/* registration.h - what a registration must hold whatever the state says, and what it means: its
 * defaults, and one spelling of what is equal (http-api.md 2.1, 2.6, 3.5).
 *
 * Used before proposing, so that refusals are fast, and in apply, where it counts: bytes of a log
 * may hold anything. */
#ifndef CATALOG_REGISTRATION_H
#define CATALOG_REGISTRATION_H

#include "common/base/arena.h"
#include "common/base/err.h"
#include "proto/curia/internal/v1/state.pb-c.h"

/* Names are sized by users, rows by the log's entry (1.5 MiB) and what the change log keeps of
 * them. */
enum {
    CATALOG_NAME_BYTES_MAX = 1024, /* of a node, a service, an id, a tag */
    CATALOG_TAGS_MAX = 1024,       /* of a service */
    CATALOG_PAIRS_MAX = 1024,      /* of a map that has no limit of its own */
    CATALOG_CHECKS_MAX = 1024,     /* in one registration */
    CATALOG_ROW_BYTES_MAX = 512 * 1024
};

/* Why a request is refused; text NULL: it is not. */
struct catalog_refusal {
    enum cu_err err; /* INVALID, TOO_LARGE */
    const char *text;
};

/* Checks the registration and fills in what it leaves out; afterwards equal registrations are equal
 * bytes. Everything it adds lies in the arena or is static. Errors: TOO_LARGE the arena is full. */
CU_MUST_USE enum cu_err catalog_registration_prepare(Curia__Internal__V1__RegisterCommand *command,
                                                     struct cu_arena *arena,
                                                     struct catalog_refusal *ret_refusal);

/* Likewise. */
struct catalog_refusal
catalog_deregistration_check(const Curia__Internal__V1__DeregisterCommand *command);

#endif
