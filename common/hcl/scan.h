/* scan.h - HCL text as tokens; of this folder only. */
#ifndef CU_HCL_SCAN_H
#define CU_HCL_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/err.h"

enum hcl_kind {
    HCL_ILLEGAL,
    HCL_END,
    HCL_IDENT,
    HCL_NUMBER,
    HCL_FLOAT,
    HCL_BOOL,
    HCL_STRING,
    HCL_HEREDOC,
    HCL_LBRACK,
    HCL_LBRACE,
    HCL_COMMA,
    HCL_PERIOD,
    HCL_RBRACK,
    HCL_RBRACE,
    HCL_ASSIGN,
    HCL_ADD,
    HCL_SUB,
    HCL_KIND_COUNT
};
const char *hcl_kind_name(enum hcl_kind kind); /* "RBRACE", as error sentences call it */

struct hcl_place {
    unsigned line, column; /* from 1; a column is a character */
};

struct hcl_token {
    enum hcl_kind kind;
    struct hcl_place place;
    struct cu_bytes text; /* as written, with quotes; a heredoc up to the end of its last line */
};

/* Zero-initialise, set `text` (without "\r\n") and here.line to 1. */
struct hcl_scanner {
    struct cu_bytes text;
    size_t at, last_len; /* the next character; bytes of the last one, 0: it was the end */
    struct hcl_place here, before;
    unsigned last_line_columns;
    bool failed; /* something was no token; scanning goes on, and the last failure is told */
    struct hcl_place fault_place;
    const char *fault;
};

/* The next token that is no comment. At the end HCL_END, again and again, each time a column
 * further, as the reference counts. */
struct hcl_token hcl_scan(struct hcl_scanner *s);

#endif
