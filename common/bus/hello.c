#include "common/bus/hello.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/bus/frame.h"
#include "curia/internal/v1/bus.pb-c.h"

typedef Curia__Internal__V1__Hello HelloMessage;
typedef Curia__Internal__V1__Goaway GoawayMessage;
typedef Curia__Internal__V1__Credit CreditMessage;

static void append_message(struct cu_buf *out, enum cu_frame_kind kind,
                           const ProtobufCMessage *message)
{
    size_t len = protobuf_c_message_get_packed_size(message);
    uint8_t *at = cu_buf_extend(out, CU_FRAME_HEAD_BYTES + len);
    cu_frame_write_head(at, kind, false, 0, len);
    (void)protobuf_c_message_pack(message, at + CU_FRAME_HEAD_BYTES); /* the same len again */
}

void cu_hello_append(struct cu_buf *out, const struct cu_hello *hello)
{
    HelloMessage m = CURIA__INTERNAL__V1__HELLO__INIT;
    struct cu_hello h = *hello; /* protobuf-c wants pointers to what may change */
    m.bus_major = h.bus_major;
    m.suite_version = h.suite_version;
    m.feature_level = h.feature_level;
    m.daemon = h.daemon;
    m.node_id = h.node_id;
    m.datacenter = h.datacenter;
    if (h.has_cluster_id)
        m.cluster_id = (ProtobufCBinaryData){sizeof h.cluster_id, h.cluster_id};
    ProtobufCBinaryData priors[CU_HELLO_PRIORS_MAX];
    for (size_t i = 0; i < h.prior_count; i++)
        priors[i] = (ProtobufCBinaryData){CU_CLUSTER_ID_BYTES, h.prior_ids[i]};
    m.prior_ids = priors;
    m.n_prior_ids = h.prior_count;
    m.loaded = h.has_cluster_id;
    m.call_credit = h.call_credit;
    m.follow_credit = h.follow_credit;
    m.byte_credit = h.byte_credit;
    m.max_message_bytes = h.max_message_bytes;
    m.n_follows = h.follow_count;
    m.follows = h.follows;
    append_message(out, CU_FRAME_HELLO, &m.base);
}

static bool copy_text(char ret_text[CU_HELLO_TEXT_MAX_BYTES + 1], const char *text)
{
    size_t len = strlen(text);
    if (len > CU_HELLO_TEXT_MAX_BYTES)
        return false;
    memcpy(ret_text, text, len + 1);
    return true;
}

static bool is_good(const HelloMessage *m)
{
    for (size_t i = 0; i < m->n_prior_ids; i++)
        if (m->prior_ids[i].len != CU_CLUSTER_ID_BYTES)
            return false;
    return m->n_prior_ids <= CU_HELLO_PRIORS_MAX && m->n_follows <= CU_HELLO_FOLLOWS_MAX &&
           (m->cluster_id.len == 0 || m->cluster_id.len == CU_CLUSTER_ID_BYTES);
}

static bool fill(struct cu_hello *h, const HelloMessage *m)
{
    *h = (struct cu_hello){
        .bus_major = m->bus_major,
        .feature_level = m->feature_level,
        .call_credit = m->call_credit,
        .follow_credit = m->follow_credit,
        .byte_credit = m->byte_credit,
        .max_message_bytes = m->max_message_bytes,
    };
    if (!is_good(m) || !copy_text(h->suite_version, m->suite_version) ||
        !copy_text(h->daemon, m->daemon) || !copy_text(h->node_id, m->node_id) ||
        !copy_text(h->datacenter, m->datacenter))
        return false;
    h->has_cluster_id = m->cluster_id.len > 0;
    if (h->has_cluster_id)
        memcpy(h->cluster_id, m->cluster_id.data, CU_CLUSTER_ID_BYTES);
    for (; h->prior_count < m->n_prior_ids; h->prior_count++)
        memcpy(h->prior_ids[h->prior_count], m->prior_ids[h->prior_count].data,
               CU_CLUSTER_ID_BYTES);
    for (; h->follow_count < m->n_follows; h->follow_count++)
        h->follows[h->follow_count] = cu_strdup(m->follows[h->follow_count]);
    return true;
}

enum cu_err cu_hello_parse(struct cu_bytes payload, struct cu_hello *ret_hello)
{
    HelloMessage *m = curia__internal__v1__hello__unpack(NULL, payload.len, payload.data);
    struct cu_hello hello;
    bool good = m && fill(&hello, m);
    curia__internal__v1__hello__free_unpacked(m, NULL);
    if (!good)
        return CU_E_INVALID;
    *ret_hello = hello;
    return CU_OK;
}

void cu_hello_deinit(struct cu_hello *hello)
{
    for (size_t i = 0; i < hello->follow_count; i++)
        free(hello->follows[i]);
    hello->follow_count = 0;
}

/* 0: the own id, then the earlier ones. */
static const uint8_t *id_at(const struct cu_hello *hello, size_t i)
{
    return i ? hello->prior_ids[i - 1] : hello->cluster_id;
}

static bool share_an_id(const struct cu_hello *a, const struct cu_hello *b)
{
    for (size_t i = 0; i <= a->prior_count; i++)
        for (size_t k = 0; k <= b->prior_count; k++)
            if (!memcmp(id_at(a, i), id_at(b, k), CU_CLUSTER_ID_BYTES))
                return true;
    return false;
}

bool cu_hello_agree(const struct cu_hello *ours, const struct cu_hello *theirs, bool raftds,
                    const char **ret_why)
{
    if (ours->bus_major != theirs->bus_major) {
        *ret_why = "another major version of the bus: upgrade the older one";
        return false;
    }
    if (raftds && ours->has_cluster_id && theirs->has_cluster_id && !share_an_id(ours, theirs)) {
        *ret_why = "a raftd of another cluster: the cluster ids differ";
        return false;
    }
    return true;
}

void cu_goaway_append(struct cu_buf *out, enum cu_err err, const char *text)
{
    GoawayMessage m = CURIA__INTERNAL__V1__GOAWAY__INIT;
    char copy[CU_DIAG_BYTES];
    (void)snprintf(copy, sizeof copy, "%s", text); /* cut at the limit on purpose */
    m.error = cu_err_to_wire(err);
    m.text = copy;
    append_message(out, CU_FRAME_GOAWAY, &m.base);
}

enum cu_err cu_goaway_parse(struct cu_bytes payload, enum cu_err *ret_err, struct cu_diag *ret_text)
{
    GoawayMessage *m = curia__internal__v1__goaway__unpack(NULL, payload.len, payload.data);
    if (!m)
        return CU_E_INVALID;
    *ret_err = cu_fail(ret_text, cu_err_from_wire(m->error), "%s", m->text);
    curia__internal__v1__goaway__free_unpacked(m, NULL);
    return CU_OK;
}

void cu_credit_append(struct cu_buf *out, uint64_t bytes)
{
    CreditMessage m = CURIA__INTERNAL__V1__CREDIT__INIT;
    m.bytes = bytes;
    append_message(out, CU_FRAME_CREDIT, &m.base);
}

enum cu_err cu_credit_parse(struct cu_bytes payload, uint64_t *ret_bytes)
{
    CreditMessage *m = curia__internal__v1__credit__unpack(NULL, payload.len, payload.data);
    if (!m)
        return CU_E_INVALID;
    *ret_bytes = m->bytes;
    curia__internal__v1__credit__free_unpacked(m, NULL);
    return CU_OK;
}
