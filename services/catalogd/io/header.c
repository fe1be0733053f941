#include "services/catalogd/io/header.h"

#include <string.h>

bool catalog_id_is_none(const struct catalog_id *id)
{
    static const struct catalog_id none;
    return catalog_id_equal(id, &none);
}

bool catalog_id_equal(const struct catalog_id *a, const struct catalog_id *b)
{
    return memcmp(a->bytes, b->bytes, CATALOG_ID_BYTES) == 0;
}

struct catalog_id catalog_id_of(ProtobufCBinaryData bytes)
{
    struct catalog_id id = {0};
    if (bytes.len == CATALOG_ID_BYTES)
        memcpy(id.bytes, bytes.data, CATALOG_ID_BYTES);
    return id;
}

struct catalog_position catalog_position_of(const Curia__Internal__V1__Position *position)
{
    if (!position)
        return (struct catalog_position){0};
    return (struct catalog_position){catalog_id_of(position->cluster_id), position->index,
                                     position->term};
}

void catalog_position_to_wire(const struct catalog_position *position,
                              Curia__Internal__V1__Position *wire)
{
    curia__internal__v1__position__init(wire);
    wire->index = position->index;
    wire->term = position->term;
    if (catalog_id_is_none(&position->cluster))
        return;
    wire->cluster_id =
        (ProtobufCBinaryData){CATALOG_ID_BYTES, (uint8_t *)(uintptr_t)position->cluster.bytes};
}

void catalog_header_pack(const struct catalog_header *header, struct cu_buf *ret_packed)
{
    Curia__Internal__V1__StateHeader wire = CURIA__INTERNAL__V1__STATE_HEADER__INIT;
    Curia__Internal__V1__Position position;
    catalog_position_to_wire(&header->position, &position);
    wire.position = &position;
    Curia__Internal__V1__Lineage lineage[CATALOG_LINEAGE_MAX], *lines[CATALOG_LINEAGE_MAX];
    for (uint32_t i = 0; i < header->lineage_count; i++) {
        curia__internal__v1__lineage__init(&lineage[i]);
        lineage[i].cluster_id = (ProtobufCBinaryData){
            CATALOG_ID_BYTES, (uint8_t *)(uintptr_t)header->lineage[i].cluster.bytes};
        lineage[i].last_index = header->lineage[i].last_index;
        lines[i] = &lineage[i];
    }
    wire.lineage = lines;
    wire.n_lineage = header->lineage_count;
    wire.configuration = curia__internal__v1__configuration__unpack(NULL, header->configuration.len,
                                                                    header->configuration.data);
    size_t len = curia__internal__v1__state_header__get_packed_size(&wire);
    (void)curia__internal__v1__state_header__pack(&wire, cu_buf_extend(ret_packed, len));
    curia__internal__v1__configuration__free_unpacked(wire.configuration, NULL);
}
