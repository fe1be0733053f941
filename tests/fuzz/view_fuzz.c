/* view_fuzz.c - the file of a mirror (contracts 7.6): what stands behind the magic is the input,
 * the checksum is put right so that mutations reach the fields. What parses is written back as it
 * was. */
#include <stdlib.h>
#include <string.h>

#include "common/base/hash.h"
#include "common/view/file.h"
#include "tests/fuzz/fuzz.h"

enum { INPUT_MAX = 64 * 1024, ROWS_MAX = 4096 };

struct found {
    struct view_row *rows[ROWS_MAX];
    size_t count;
};

static void visit(void *arg, const struct cu_mirror_row *row)
{
    struct found *found = arg;
    if (found->count < ROWS_MAX)
        found->rows[found->count++] = view_row_new(row);
}

static void check_again(const struct view_file *file, struct cu_bytes whole,
                        const struct found *found)
{
    struct cu_buf again = {0};
    view_file_encode(file, found->rows, found->count, &again);
    if (!cu_bytes_equal(whole, cu_buf_bytes(&again)))
        abort();
    cu_buf_deinit(&again);
}

bool fuzz_one(const uint8_t *data, size_t len)
{
    static struct found found;
    char *topics[] = {"nodes", "services"};
    struct view_file file = {.topics = topics, .topic_count = 2};
    if (len > INPUT_MAX)
        return false;
    struct cu_buf whole = {0};
    cu_buf_append(&whole, "CURIAVW\n", 8);
    cu_buf_append(&whole, data, len);
    cu_buf_u32le(&whole, cu_crc32c(0, whole.data, whole.len));
    found.count = 0;
    enum cu_err err = view_file_decode(cu_buf_bytes(&whole), &file, visit, &found, NULL);
    if (err ? found.count > 0 : false)
        abort(); /* nothing is visited before all of it is good */
    if (!err && found.count < ROWS_MAX)
        check_again(&file, cu_buf_bytes(&whole), &found);
    for (size_t i = 0; i < found.count; i++)
        view_row_unref(found.rows[i]);
    cu_buf_deinit(&whole);
    return !err;
}
