/* parse.h - the grammar of filter expressions (http-api.md 1.9): text to tree, with the reference's
 * sentences where it does not parse. */
#ifndef CU_FILTER_PARSE_H
#define CU_FILTER_PARSE_H

#include "common/base/arena.h"
#include "common/base/err.h"

enum cu_filter_operator {
    CU_FILTER_EQUAL,
    CU_FILTER_NOT_EQUAL,
    CU_FILTER_IN, /* contains is the same, read from the other side */
    CU_FILTER_NOT_IN,
    CU_FILTER_IS_EMPTY,
    CU_FILTER_IS_NOT_EMPTY,
    CU_FILTER_MATCHES,
    CU_FILTER_NOT_MATCHES,
    CU_FILTER_OPERATOR_COUNT
};
const char *cu_filter_operator_name(enum cu_filter_operator op); /* "Not Equal" */

/* A name, then names or keys. */
struct cu_filter_segment {
    const char *name;
    struct cu_filter_segment *next;
};

enum cu_filter_node_kind { CU_FILTER_OR, CU_FILTER_AND, CU_FILTER_NOT, CU_FILTER_MATCH };

struct cu_filter_node {
    enum cu_filter_node_kind kind;
    struct cu_filter_node *children, *next; /* of or, and, not */
    /* of a match */
    enum cu_filter_operator op;
    struct cu_filter_segment *selector;
    const char *value; /* NULL: the operator takes none */
    /* for whoever checks it */
    const struct cu_filter_field *field; /* what the selector ends at */
    int64_t number;                      /* the value of an int or a bool */
    struct cu_filter_pattern *pattern;   /* of matches */
};

/* The tree, in the arena. Errors as of cu_filter_new(). */
CU_MUST_USE enum cu_err cu_filter_parse(const char *text, struct cu_arena *arena,
                                        struct cu_filter_node **ret_node, struct cu_diag *diag);

/* "Node.Meta.env" in the arena; NULL: that is full. `last`: up to and with that segment; NULL: all.
 */
const char *cu_filter_selector_text(const struct cu_filter_segment *selector,
                                    const struct cu_filter_segment *last, struct cu_arena *arena);

#endif
