#include "common/view/encode.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/loop/worker.h"

enum {
    META_TAG = 1 << 3 | 2, /* field 1, length-delimited */
    ARENA_FACTOR = 8,      /* small messages grow most when they are unpacked */
    ARENA_EXTRA_BYTES = 65536,
};

/* Lives until its job is done, longer than its op perhaps. */
struct view_encoding {
    struct cu_job job;
    struct view_op *op; /* NULL: freed */
    const struct cu_view_method *method;
    unsigned formats; /* bits */
    struct cu_buf packed;

    /* the worker's */
    struct view_kept *kept; /* NULL: it cannot be read */
};

/* ---- a reply's meta part ---- */

const Curia__V1__ReadMeta *view_meta_of(const ProtobufCMessage *reply)
{
    const ProtobufCFieldDescriptor *field = &reply->descriptor->fields[0];
    const Curia__V1__ReadMeta *meta;
    CU_ASSERT(field->id == 1 && field->descriptor == &curia__v1__read_meta__descriptor);
    memcpy(&meta, (const char *)reply + field->offset, sizeof(void *));
    return meta;
}

Curia__V1__ReadMeta *view_encode_peek(struct cu_bytes packed)
{
    struct cu_reader r = cu_reader_of(packed);
    uint8_t tag = cu_read_u8(&r), len = cu_read_u8(&r);
    struct cu_bytes meta = cu_read_bytes(&r, len);
    if (r.failed || tag != META_TAG || len > INT8_MAX) /* a longer one has two bytes of length */
        return NULL;
    return curia__v1__read_meta__unpack(NULL, meta.len, meta.data);
}

/* ---- encoding ---- */

static struct cu_view_body *encode(const struct cu_view_method *method,
                                   const ProtobufCMessage *reply, unsigned format,
                                   struct cu_buf *scratch)
{
    cu_buf_clear(scratch);
    unsigned number = method->encode(reply, format, scratch);
    size_t len = scratch->len;
    struct cu_view_body *body = malloc(sizeof *body + len);
    CU_ASSERT(body);
    *body = (struct cu_view_body){.refs = 1, .number = number, .len = len};
    if (len)
        memcpy(body->bytes, scratch->data, len);
    return body;
}

static bool encode_all(const struct cu_view_method *method, unsigned formats,
                       const ProtobufCMessage *reply, struct cu_buf *scratch,
                       struct view_kept *kept)
{
    const Curia__V1__ReadMeta *meta = view_meta_of(reply);
    if (!meta)
        return false;
    size_t bytes = 0;
    view_kept_take_meta(kept, meta);
    for (unsigned format = 0; format < CU_VIEW_FORMATS; format++)
        if (formats & 1u << format) {
            kept->bodies[format] = encode(method, reply, format, scratch);
            bytes += kept->bodies[format]->len;
        }
    if (bytes >= CU_VIEW_KEEP_MIN_BYTES) /* a smaller one is handed out and forgotten */
        view_kept_take_have(kept, meta->have);
    return true;
}

static unsigned wanted_formats(const struct view_op *op)
{
    unsigned formats = 0;
    for (const struct cu_view_read *read = op->readers; read; read = read->next)
        formats |= 1u << read->format;
    return formats;
}

void view_encode_here(struct view_op *op, const ProtobufCMessage *reply, struct view_kept *ret_kept)
{
    (void)encode_all(/* the caller has seen its meta part */
                     op->method, wanted_formats(op), reply, &op->view->encoded, ret_kept);
}

/* ---- on the worker ---- */

static void run(void *arg)
{
    struct view_encoding *e = arg;
    const ProtobufCMethodDescriptor *method =
        protobuf_c_service_descriptor_get_method_by_name(e->method->service, e->method->name);
    struct cu_arena *arena = cu_arena_new(ARENA_FACTOR * e->packed.len + ARENA_EXTRA_BYTES);
    struct cu_buf scratch = {0};
    ProtobufCMessage *reply = protobuf_c_message_unpack(method->output, cu_arena_allocator(arena),
                                                        e->packed.len, e->packed.data);
    struct view_kept *kept = view_kept_new((struct cu_bytes){NULL, 0});
    if (reply && encode_all(e->method, e->formats, reply, &scratch, kept))
        e->kept = kept;
    else
        view_kept_unref(kept);
    cu_buf_deinit(&scratch);
    cu_arena_free(arena);
}

static void done(void *arg)
{
    struct view_encoding *e = arg;
    if (e->op) {
        e->op->encoding = NULL;
        view_op_encoded(e->op, e->kept);
    }
    view_kept_unref(e->kept);
    cu_buf_deinit(&e->packed);
    free(e);
}

void view_encode_there(struct view_op *op, struct cu_bytes packed)
{
    struct cu_view *view = op->view;
    struct view_encoding *e = cu_alloc(sizeof *e);
    e->op = op;
    e->method = op->method;
    e->formats = wanted_formats(op);
    cu_buf_append(&e->packed, packed.data, packed.len);
    e->job = (struct cu_job){.run = run, .done = done, .arg = e};
    op->encoding = e;
    if (!view->worker)
        view->worker = cu_worker_new(view->loop, "encode");
    cu_count(view->encoded_there, 1);
    cu_worker_submit(view->worker, &e->job);
}

void view_encode_forget(struct view_op *op)
{
    if (op->encoding)
        op->encoding->op = NULL;
    op->encoding = NULL;
}
