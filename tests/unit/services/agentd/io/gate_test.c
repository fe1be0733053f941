#include "services/agentd/io/gate.h"

#include "tests/lib/suite.h"

static char order[16];
static size_t begun;

static void go(void *arg)
{
    order[begun++] = *(const char *)arg;
    order[begun] = 0;
}

static struct agent_ticket ticket(const char *name)
{
    return (struct agent_ticket){.go = go, .arg = (void *)name};
}

START_TEST(lets_in_so_many_and_the_others_in_their_order)
{
    struct agent_gate gate;
    struct agent_ticket a = ticket("a"), b = ticket("b"), c = ticket("c"), d = ticket("d");
    agent_gate_init(&gate, 2);
    agent_gate_enter(&gate, &a);
    agent_gate_enter(&gate, &b);
    agent_gate_enter(&gate, &c);
    agent_gate_enter(&gate, &d);
    ck_assert_str_eq(order, "ab");
    agent_gate_leave(&gate, &b);
    ck_assert_str_eq(order, "abc");
    agent_gate_enter(&gate, &b);
    agent_gate_leave(&gate, &d); /* gave up waiting */
    agent_gate_leave(&gate, &d); /* is outside */
    agent_gate_leave(&gate, &a);
    ck_assert_str_eq(order, "abcb");
    agent_gate_enter(&gate, &a);
    agent_gate_leave(&gate, &c);
    ck_assert_str_eq(order, "abcba");
    agent_gate_leave(&gate, &b);
    agent_gate_leave(&gate, &a);
    ck_assert_uint_eq(gate.inside, 0);
    ck_assert_ptr_null(gate.first);
}
END_TEST

SUITE_MAIN("services/agentd/io/gate", lets_in_so_many_and_the_others_in_their_order)
