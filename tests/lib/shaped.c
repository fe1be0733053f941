#include "tests/lib/shaped.h"

#include "tests/lib/suite.h"

enum { ARENA_BYTES = 256 * 1024 };

const char *shaped_text(const struct cu_json_shape *shape, const void *message)
{
    static struct cu_buf out;
    cu_buf_clear(&out);
    cu_json_write(&out, shape, message);
    cu_buf_u8(&out, 0);
    return (const char *)out.data;
}

static enum cu_err read(const struct cu_json_shape *shape, const char *text, void **ret_message,
                        struct cu_diag *diag)
{
    static struct cu_arena *arena;
    arena = arena ? arena : cu_arena_new(ARENA_BYTES);
    *ret_message = cu_arena_alloc(arena, shape->descriptor->sizeof_message);
    protobuf_c_message_init(shape->descriptor, *ret_message);
    return cu_json_read_text(cu_bytes_of(text), shape, arena, *ret_message, diag);
}

void *shaped_message(const struct cu_json_shape *shape, const char *text)
{
    struct cu_diag diag = {0};
    void *message;
    enum cu_err err = read(shape, text, &message, &diag);
    ck_assert_msg(!err, "%s: %s", text, diag.text);
    return message;
}

const char *shaped_refusal(const struct cu_json_shape *shape, const char *text)
{
    static struct cu_diag diag;
    void *message;
    ck_assert_int_eq(read(shape, text, &message, &diag), CU_E_INVALID);
    return diag.text;
}
