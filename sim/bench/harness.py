# SPDX-License-Identifier: BSD-2-Clause
"""The C++ round a Verilated module that moves whole arrays of codes through it in one call.

The generated part is the few lines that copy one row of codes to the pins and back; the clocking
below it is the same for every module. Each column is a plain numpy array of codes, so nothing is
packed in Python. Modules that share a library share the time that the headers take to compile,
which is the most of what small ones take.
"""

from __future__ import annotations

from collections.abc import Sequence

from .interface import Field, Interface, Pin
from .pauses import EDGE, WATCH

_COMMON = r"""
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <verilated.h>

struct Random {
    uint64_t state;
    uint64_t next() {  // splitmix64
        uint64_t z = (state += 0x9E3779B97F4A7C15ull);
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
        return z ^ (z >> 31);
    }
};

// Says in bursts when a side pauses: `share` of 65536 of the time, up to `burst` clocks at once.
struct Pause {
    Random random;
    uint32_t share, burst;
    uint32_t left = 0;
    bool paused = false;
    bool step() {
        if (share == 0) return false;
        if (left == 0) {
            const uint64_t r = random.next();
            paused = (r & 0xFFFF) < share;
            left = 1 + uint32_t((r >> 16) % burst);
        }
        --left;
        return paused;
    }
};

enum { DONE, EXTRA, STUCK, LATENCY, WITHDRAWN, CHANGED, PADDING, IMMEDIATE };
"""

_CLOCKING = r"""
struct Simulation {
    VerilatedContext context;
    Top* top = nullptr;
    explicit Simulation(uint64_t seed) {
        context.randReset(2);
        context.randSeed(int(seed & 0x7FFFFFFF) | 1);
        top = new Top(&context, "top");
        idle(*top);
        set_reset(*top, true);
        for (int half = 0; half < 9; ++half) {
            set_clock(*top, half & 1);
            top->eval();
        }
        set_reset(*top, false);
    }
    ~Simulation() { top->final(); delete top; }
};

static int run_fixed(Top& top, const void* const* in, int64_t rows, void* const* out) {
    if (!CLOCKED) {
        for (int64_t i = 0; i < rows; ++i) { load(top, in, i); top.eval(); store(top, out, i); }
        return DONE;
    }
    const int64_t clocks = (rows - 1) * INTERVAL + 1 + LATENCY_CLOCKS;
    int64_t next = 0;
    for (int64_t clock = 0; clock < clocks; ++clock) {
        if (clock % INTERVAL == 0) {
            if (next < rows) load(top, in, next++);
            else { load(top, in, 0); close(top); }
        }
        set_clock(top, 0);
        top.eval();
        const int64_t since = clock - LATENCY_CLOCKS;
        if (since >= 0 && since % INTERVAL == 0) store(top, out, since / INTERVAL);
        set_clock(top, 1);
        top.eval();
    }
    return DONE;
}

static int run_valid(Top& top, const void* const* in, int64_t rows, void* const* out,
                     int64_t capacity, Pause gaps, Random random, Watch watch, int64_t* got) {
    bool expected[LATENCY_CLOCKS + 1] = {};
    int64_t sent = 0, drain = 0, wait = 0;
    for (int64_t clock = 0; drain < LATENCY_CLOCKS + 32; ++clock) {
        const bool left = wait <= 0 && sent < rows, first = sent == 0, final = sent == rows - 1;
        bool gap = gaps.step();
        gap |= gaps.share && (first || final) && watch.gap < EDGE;
        const bool offer = left && !gap;
        load(top, in, offer ? sent : int64_t(random.next() % uint64_t(rows)));
        set_valid(top, offer);
        if (left) watch.source(offer, true, first, final, ends(top));
        expected[clock % (LATENCY_CLOCKS + 1)] = offer && ends(top);
        set_clock(top, 0);
        top.eval();
        // with a latency of L the slot after this clock's holds what was offered L clocks ago
        if (!WAITS && out_valid(top) != expected[(clock + 1) % (LATENCY_CLOCKS + 1)])
            return LATENCY;
        if (out_valid(top)) {
            if (*got == capacity) return EXTRA;
            store(top, out, (*got)++);
        }
        set_clock(top, 1);
        top.eval();
        wait = offer ? INTERVAL - 1 : wait - 1;
        sent += offer;
        drain = sent < rows ? 0 : drain + 1;
    }
    return DONE;
}

static int run_stream(Top& top, const void* const* in, int64_t rows, void* const* out,
                      int64_t capacity, Pause gaps, Pause stalls, Random random, Watch watch,
                      int64_t* got) {
    int64_t sent = 0, quiet = 0, still = 0;
    bool offered = false, waiting = false;
    Payload held;
    while (quiet < 2 * LATENCY_CLOCKS + 64) {
        const bool left = sent < rows, first = sent == 0, final = sent == rows - 1;
        bool gap = gaps.step();
        gap |= gaps.share && (first || final) && watch.gap < EDGE;
        if (!offered) offered = !gap && left;  // once offered, valid stays until taken
        load(top, in, offered ? sent : int64_t(random.next() % uint64_t(rows)));
        set_valid(top, offered);
        const bool opens = *got == 0, closes = *got == capacity - 1;
        bool ready = !stalls.step();
        // At times the reader waits for a result: what waits for the reader then is stuck.
        if (stalls.share && left && (sent & 31) >= 24) ready &= waiting;
        set_ready(top, ready);
        set_clock(top, 0);
        top.eval();
        if (ready && stalls.share && (opens || closes) && watch.waited < EDGE && out_valid(top)) {
            ready = false;
            set_ready(top, ready);
            top.eval();
        }
        if (REGISTERED) {
            const bool before = in_ready(top);
            set_ready(top, !ready);
            top.eval();
            const bool after = in_ready(top);
            set_ready(top, ready);
            top.eval();
            if (before != after) return IMMEDIATE;
        }
        const bool taken = offered && in_ready(top);
        const bool valid = out_valid(top);
        if (left) watch.source(offered, taken, first, final, ends(top));
        watch.sink(valid, ready, opens, closes, left && !offered);
        if (waiting && !valid) return WITHDRAWN;
        if (waiting && !(held == Payload(top))) return CHANGED;
        waiting = valid && !ready;
        if (waiting) held = Payload(top);
        if (valid && ready) {
            if (*got == capacity) return EXTRA;
            store(top, out, (*got)++);
            if (!padded(top)) return PADDING;
        }
        set_clock(top, 1);
        top.eval();
        still = taken || (valid && ready) ? 0 : still + 1;
        if (still > 100000) return STUCK;
        quiet = sent < rows || valid ? 0 : quiet + ready;
        sent += taken;
        if (taken) offered = false;
    }
    return DONE;
}

extern "C" {
__attribute__((visibility("default"))) void* macaw_open_@(uint64_t seed) {
    return new Simulation(seed);
}
__attribute__((visibility("default"))) void macaw_close_@(void* simulation) {
    delete static_cast<Simulation*>(simulation);
}
__attribute__((visibility("default"))) int macaw_run_@(
    void* simulation, const void* const* in, int64_t rows, void* const* out, int64_t capacity,
    uint32_t gap, uint32_t stall, uint32_t burst, uint64_t seed, int64_t* paused, int64_t* got) {
    Top& top = *static_cast<Simulation*>(simulation)->top;
    const Pause gaps{{seed ^ 1}, gap, burst}, stalls{{seed ^ 2}, stall, burst};
    const Watch watch{paused, LATENCY_CLOCKS};
    *got = 0;
    if (rows == 0) return DONE;
    if (FLOW == 1) return run_valid(top, in, rows, out, capacity, gaps, {seed ^ 3}, watch, got);
    if (FLOW == 2)
        return run_stream(top, in, rows, out, capacity, gaps, stalls, {seed ^ 3}, watch, got);
    *got = rows;
    return run_fixed(top, in, rows, out);
}
}
"""

_WIDE = r"""
template <std::size_t Words>
static void insert(VlWide<Words>& pins, int offset, int width, uint64_t value) {
    while (width > 0) {
        const int word = offset / 32, shift = offset % 32;
        pins[word] |= EData(value << shift);
        const int done = 32 - shift;
        value = done < 64 ? value >> done : 0;
        offset += done;
        width -= done;
    }
}
template <std::size_t Words>
static uint64_t extract(const VlWide<Words>& pins, int offset, int width) {
    uint64_t value = 0;
    for (int done = 0; done < width;) {
        const int word = (offset + done) / 32, shift = (offset + done) % 32;
        value |= uint64_t(pins[word] >> shift) << done;
        done += 32 - shift;
    }
    return width < 64 ? value & ((uint64_t(1) << width) - 1) : value;
}
"""


def _c_type(field: Field) -> str:
    return f"uint{field.dtype.itemsize * 8}_t"


def _load(wire: Pin, column: int) -> tuple[list[str], int]:
    """Statements that set one input wire from row ``i``; columns are numbered from ``column``."""
    wide = wire.width > 64
    terms: list[str] = []
    lines: list[str] = []
    if wide:
        lines.append(f"for (int k = 0; k < {-(-wire.width // 32)}; ++k) top.{wire.name}[k] = 0;")
    for field in wire.fields:
        source = f"static_cast<const {_c_type(field)}*>(in[{column}])"
        column += 1
        for lane in range(field.count):
            code = f"uint64_t({source}[i * {field.count} + {lane}])"
            offset = field.offset + lane * field.width
            if wide:
                lines.append(f"insert(top.{wire.name}, {offset}, {field.width}, {code});")
            else:
                terms.append(f"{code} << {offset}" if offset else code)
        if field.padding:
            # Any bits, but the same ones for as long as the row is offered.
            fill = f"(uint64_t(i) * 0x9E3779B97F4A7C15ull >> {64 - field.padding})"
            if wide:
                lines.append(f"insert(top.{wire.name}, {field.end}, {field.padding}, {fill});")
            else:
                terms.append(f"{fill} << {field.end}")
    if not wide:
        lines.append(f"top.{wire.name} = {' | '.join(terms)};")
    return lines, column


def _store(wire: Pin, column: int) -> tuple[list[str], int]:
    """Statements that write the fields of one output wire to row ``i``."""
    lines = []
    for field in wire.fields:
        target = f"static_cast<{_c_type(field)}*>(out[{column}])"
        column += 1
        for lane in range(field.count):
            offset = field.offset + lane * field.width
            value = _value(wire, offset, field.width)
            lines.append(f"{target}[i * {field.count} + {lane}] = {_c_type(field)}({value});")
    return lines, column


def _value(wire: Pin, offset: int, width: int) -> str:
    """Some bits of an output."""
    if wire.width > 64:
        return f"extract(top.{wire.name}, {offset}, {width})"
    return f"((uint64_t(top.{wire.name}) >> {offset}) & {(1 << width) - 1}ull)"


def _padded(wires: tuple[Pin, ...]) -> list[str]:
    """Statements that say whether the padding of all results is what it has to be."""
    lines = []
    for wire in wires:
        for field in wire.fields:
            if field.padding:
                ones = f"{(1 << field.padding) - 1}ull"
                sign = _value(wire, field.end - 1, 1) if field.signed else "0"
                fill = _value(wire, field.end, field.padding)
                lines.append(f"if ({fill} != {sign} * {ones}) return false;")
    return [*lines, "return true;"]


def _function(head: str, body: list[str]) -> str:
    return "\n".join([f"static {head} {{", *(f"    {line}" for line in body), "}"])


def _pin_of(interface: Interface, operand: str) -> str | None:
    for wire in interface.inputs:
        if [field.name for field in wire.fields] == [operand]:
            return wire.name
    return None


def source(interfaces: Sequence[Interface]) -> str:
    """The C++ text of the harness of some modules.

    The Verilated class of the module of number n is ``Vtop<n>``, and its functions are
    ``macaw_open_<n>``, ``macaw_run_<n>``, ``macaw_close_<n>``.
    """
    parts = [_COMMON, f"static constexpr int64_t EDGE = {EDGE};", WATCH, _WIDE]
    for number, interface in enumerate(interfaces):
        parts += [f'#include "Vtop{number}.h"', f"namespace module{number} {{"]
        parts += [_module(interface, number), "}"]
    return "\n".join(parts)


def _module(interface: Interface, number: int) -> str:
    load: list[str] = []
    column = 0
    for wire in interface.inputs:
        lines, column = _load(wire, column)
        load += lines
    store: list[str] = []
    column = 0
    for wire in interface.outputs:
        lines, column = _store(wire, column)
        store += lines
    last = _pin_of(interface, "last")
    closing = [_pin_of(interface, name) for name in ("last", "end", "reseed")]
    names = [wire.name for wire in interface.outputs]
    members = [f"std::remove_reference_t<decltype(Top::{name})> {name};" for name in names]
    copies = ", ".join(f"{name}(top.{name})" for name in names)
    # Of wide ports Verilator compares contents by != alone: == compares their addresses.
    equal = " && ".join(f"!({name} != other.{name})" for name in names)
    reset = interface.reset_level

    def drive(pin: str | None, value: str) -> list[str]:
        return [f"top.{pin} = {value};"] if pin else []

    idle = drive(interface.valid_in, "0") + drive(interface.ready_out, "0")
    for wire in interface.inputs:
        count = -(-wire.width // 32)
        idle.append(
            f"for (int k = 0; k < {count}; ++k) top.{wire.name}[k] = 0;"
            if wire.width > 64
            else f"top.{wire.name} = 0;"
        )
    parts = [
        f"using Top = Vtop{number};",
        f"static constexpr bool CLOCKED = {'true' if interface.clock else 'false'};",
        f"static constexpr int FLOW = {('none', 'valid', 'stream').index(interface.flow)};",
        f"static constexpr int64_t LATENCY_CLOCKS = {interface.latency};",
        f"static constexpr int64_t INTERVAL = {max(1, interface.interval)};",
        f"static constexpr bool WAITS = {'true' if interface.waits else 'false'};",
        f"static constexpr bool REGISTERED = {'true' if interface.registered else 'false'};",
        _function("void load(Top& top, const void* const* in, int64_t i)", load),
        _function("void store(const Top& top, void* const* out, int64_t i)", store),
        _function("void idle(Top& top)", idle),
        _function("void set_clock(Top& top, int level)", drive(interface.clock, "level")),
        _function(
            "void set_reset(Top& top, bool active)",
            drive(interface.reset, f"active ? {reset} : {1 - reset}"),
        ),
        _function("void set_valid(Top& top, bool valid)", drive(interface.valid_in, "valid")),
        _function("void set_ready(Top& top, bool ready)", drive(interface.ready_out, "ready")),
        _function("void close(Top& top)", [line for pin in closing for line in drive(pin, "1")]),
        _function("bool ends(const Top& top)", [f"return top.{last};" if last else "return true;"]),
        _function(
            "bool out_valid(const Top& top)",
            [f"return top.{interface.valid_out};" if interface.valid_out else "return true;"],
        ),
        _function(
            "bool in_ready(const Top& top)",
            [f"return top.{interface.ready_in};" if interface.ready_in else "return true;"],
        ),
        _function("bool padded(const Top& top)", _padded(interface.outputs)),
        "struct Payload {",
        *members,
        "Payload() = default;",
        f"explicit Payload(const Top& top) : {copies} {{}}",
        f"bool operator==(const Payload& other) const {{ return {equal}; }}",
        "};",
        _CLOCKING.replace("@", str(number)),
    ]
    return "\n".join(parts)
