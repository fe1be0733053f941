#include "common/conf/texts.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"

char **cu_texts_split(const char *words, size_t *ret_count)
{
    size_t count = 0;
    char **texts = cu_alloc((strlen(words) + 1) * sizeof *texts);
    char *copy = cu_strdup(words), *rest = copy;
    for (char *word; (word = strtok_r(rest, " \t", &rest));)
        texts[count++] = cu_strdup(word);
    free(copy);
    *ret_count = count;
    return texts;
}

void cu_texts_free(char **texts, size_t count)
{
    for (size_t i = 0; texts && i < count; i++)
        free(texts[i]);
    free(texts);
}
