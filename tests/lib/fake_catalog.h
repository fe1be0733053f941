/* fake_catalog.h - a catalogd that behaves, for tests of the view and of agentd: one row that every
 * key has, waits that end when it changes, failures on demand; and a node "n1" with an instance
 * "web" of a service and two checks, whatever is asked of Catalog and Health, but of FAKE_NODE, of
 * which it keeps what is registered. */
#ifndef TESTS_LIB_FAKE_CATALOG_H
#define TESTS_LIB_FAKE_CATALOG_H

#include "common/loop/loop.h"
#include "common/rpc/rpc.h"
#include "tests/lib/fake_acl.h"
#include "tests/lib/fake_node.h"

enum { FAKE_WAITS_MAX = 64 };

struct fake_catalog {
    struct cu_loop *loop;
    struct cu_rpc *rpc; /* NULL while stopped */
    char *url;
    uint64_t index;
    uint64_t newest; /* of its whole state, when that is above `index` */
    char *value;     /* of every key; NULL: there is none */
    enum cu_err fail_with;
    uint64_t last_contact_ms; /* of stale reads */
    bool swallows_puts;
    unsigned gets, lists, puts, txns, unchanged, gone; /* asked, or left, so far */
    char last_origin[64], last_session[64];
    char asked[512];          /* the last question to Catalog or Health, in words */
    const char *refuses;      /* these refuse, with this sentence; NULL: they answer */
    const char *proxy_config; /* of proxy-defaults; NULL: there are none */
    bool refuses_config;      /* config entries are told to nobody */
    struct fake_node node;
    struct fake_acl acl;
    struct cu_rq *waits[FAKE_WAITS_MAX];
    size_t wait_count;
    uint64_t wait_index; /* of the last one */
};

/* Says what is asked of tokens, in the place of `acl`; set before one is made. */
extern const struct cu_service *fake_catalog_acl;

/* Listens on `url`. */
struct fake_catalog *fake_catalog_new(struct cu_loop *loop, const char *url);
void fake_catalog_free(struct fake_catalog *fake);

/* Closes all connections, as a crash does; and listens again. */
void fake_catalog_stop(struct fake_catalog *fake);
void fake_catalog_start(struct fake_catalog *fake);

/* A write from elsewhere: the index rises and all waits are answered. */
void fake_catalog_change(struct fake_catalog *fake, const char *value);

/* Turns the loop until `claim` holds, at most 40 s. */
#define FAKE_WAIT(loop, claim)                                                                     \
    do {                                                                                           \
        struct cu_mono end_ = cu_mono_add_ms(cu_mono_now(), 40000);                                \
        while (!(claim) && cu_mono_before(cu_mono_now(), end_))                                    \
            fake_turn(loop);                                                                       \
        ck_assert(claim);                                                                          \
    } while (0)
void fake_turn(struct cu_loop *loop);

#endif
