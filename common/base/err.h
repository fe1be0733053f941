/* err.h - the one list of errors, and the sentence that goes with one. */
#ifndef CU_BASE_ERR_H
#define CU_BASE_ERR_H

#include <stdarg.h>
#include <stddef.h>

#define CU_MUST_USE          __attribute__((warn_unused_result))
#define CU_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define CU_COUNT(array)      (sizeof(array) / sizeof((array)[0]))

enum cu_err {
    CU_OK = 0,
#define CU_ERR(name, wire, words) CU_E_##name,
#include "common/base/err.def"
#undef CU_ERR
    CU_ERR_COUNT
};

/* "Ok", "Invalid", ... as the wire and the tools print it; "Internal" for a number outside the
 * list. */
const char *cu_err_name(enum cu_err err);

/* A human's words for the error; never NULL. */
const char *cu_err_words(enum cu_err err);

/* The number a peer sent, as our own enum: a number this build does not know becomes CU_E_INTERNAL.
 */
enum cu_err cu_err_from_wire(unsigned number);

/* The number to send: local errors (Io, Corrupt) become Internal. */
unsigned cu_err_to_wire(enum cu_err err);

enum { CU_DIAG_BYTES = 512 };

/* One sentence an operator can act on. Zero-initialise. All functions take NULL and do nothing. */
struct cu_diag {
    char text[CU_DIAG_BYTES];
};

/* Sets the sentence (cut at the limit) and returns `err`, so `return cu_fail(diag, CU_E_X, "...")`.
 */
enum cu_err cu_fail(struct cu_diag *diag, enum cu_err err, const char *fmt, ...) CU_PRINTF(3, 4);

#endif
