#include "tests/lib/members.h"

#include <string.h>

#include "tests/lib/registration.h"
#include "tests/lib/suite.h"

Curia__Internal__V1__Member *member_of(struct cu_arena *arena, const struct member *given)
{
    Curia__Internal__V1__Member *member = cu_arena_alloc(arena, sizeof *member);
    Curia__V1__StringMap *tags = reg_map(arena, given->tags ? given->tags : "");
    ck_assert_ptr_nonnull(member);
    curia__internal__v1__member__init(member);
    member->name = (char *)(uintptr_t)given->name;
    member->address = (char *)(uintptr_t)(given->address ? given->address : "");
    member->status =
        given->status ? given->status : CURIA__INTERNAL__V1__MEMBER_STATUS__MEMBER_ALIVE;
    member->protocol_min = 1;
    member->protocol_cur = 2;
    member->protocol_max = 5;
    member->n_tags = tags->n_entries;
    member->tags = cu_arena_alloc(arena, (tags->n_entries + 1) * sizeof *member->tags);
    for (size_t i = 0; i < tags->n_entries; i++) {
        member->tags[i] = cu_arena_alloc(arena, sizeof **member->tags);
        curia__internal__v1__member__tags_entry__init(member->tags[i]);
        member->tags[i]->key = tags->entries[i]->key;
        member->tags[i]->value = tags->entries[i]->value;
    }
    return member;
}
