/* fake_acl.h - what a catalogd says of tokens: the few that a test names. */
#ifndef TESTS_LIB_FAKE_ACL_H
#define TESTS_LIB_FAKE_ACL_H

#include "common/rpc/rpc.h"

enum { FAKE_ACL_TOKENS = 8, FAKE_ACL_HELD = 8 };

struct fake_acl_token {
    const char *secret; /* NULL: this place is free */
    const char *rules;  /* of its one policy */
    uint64_t rights, expiration_time_ms;
};

struct fake_acl {
    struct fake_acl_token tokens[FAKE_ACL_TOKENS]; /* the accessor of "x" is "accessor-x" */
    enum cu_err fail_with;                         /* everybody */
    bool holds;                                    /* until fake_acl_let_go() */
    struct cu_rq *held[FAKE_ACL_HELD];
    size_t held_count;
    unsigned asked, unchanged;
};

extern const struct cu_service fake_acl_service; /* its context is a fake_acl */

/* Answers what was held, and holds nothing more. */
void fake_acl_let_go(struct fake_acl *fake);

#endif
