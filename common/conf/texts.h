/* texts.h - lists of texts, as configuration holds them. */
#ifndef CU_CONF_TEXTS_H
#define CU_CONF_TEXTS_H

#include <stddef.h>

/* The words between blanks and tabs. Yours: cu_texts_free(). */
char **cu_texts_split(const char *words, size_t *ret_count);
void cu_texts_free(char **texts, size_t count); /* takes NULL */

#endif
