// SPDX-License-Identifier: BSD-2-Clause
// Gate-level simulation of a mapped netlist, clock by clock, with the delays of its cells.
//
// A cell has pins, and a state: one bit a pin, and for a flip-flop what it keeps as the highest
// bit. Each of its outputs is a gate: a truth table over the state, delays of a rise and a fall,
// and at most one transition under way, which is called off when the table no longer asks for it
// (Verilog's inertial delay of a continuous assignment). An input of the module is a cell whose
// one bit is set from outside. Time is in picoseconds from the clock's edge, and a clock lasts
// until nothing moves.
//
// Energies are tables over the state: of a gate by the pin that moved it, of a pin by itself, of a
// flip-flop's clock. Offsets into them are negative where there is nothing.

#include <cstdint>
#include <vector>

namespace {

struct Circuit {
  int64_t nets, cells, gates, inputs, outputs, ready, reset, reset_level;
  const int32_t *pin_first;   // cells + 1, into the pins
  const int32_t *pin_net;     // the net on a pin
  const int64_t *pin_energy;  // offset: [state][rise, fall]
  const uint8_t *keeps;       // cells: 1 a flip-flop, 2 an input of the module
  const uint64_t *next, *clear, *preset;  // cells: tables of what a flip-flop keeps
  const int64_t *clock_energy;            // cells: offset, as of a pin
  const int32_t *gate_first;              // cells + 1, into the gates
  const int32_t *gate_net, *gate_rise, *gate_fall;
  const uint64_t *gate_table;
  const int64_t *gate_energy;  // offset: [pin][state][rise, fall], the kept bit counts as a pin
  const double *energies;
  const int32_t *input_cell, *output_net;
};

struct Event {
  int32_t gate;
  uint32_t serial;
};

struct Reader {
  int32_t cell, bit;
};

class Simulation {
 public:
  explicit Simulation(const Circuit &c)
      : c(c), value(c.nets), state(c.cells), before(c.cells), cause(c.cells), stamp(c.cells, -1),
        pending(c.gates), serial(c.gates), owner(c.gates), readers(c.nets) {
    value[1] = 1;
    int64_t longest = 1;
    for (int64_t cell = 0; cell < c.cells; ++cell) {
      for (int32_t pin = c.pin_first[cell]; pin < c.pin_first[cell + 1]; ++pin) {
        const int32_t bit = pin - c.pin_first[cell];
        readers[c.pin_net[pin]].push_back({int32_t(cell), bit});
        state[cell] |= uint32_t(value[c.pin_net[pin]]) << bit;
      }
      for (int32_t gate = c.gate_first[cell]; gate < c.gate_first[cell + 1]; ++gate) {
        owner[gate] = int32_t(cell);
        for (int64_t delay : {c.gate_rise[gate], c.gate_fall[gate]})
          if (delay > longest) longest = delay;
      }
    }
    wheel.resize(longest + 1);
  }

  int32_t width(int64_t cell) const {
    return c.pin_first[cell + 1] - c.pin_first[cell] + (c.keeps[cell] ? 1 : 0);
  }

  // All gates ask for what their tables say.
  void start() {
    for (int64_t cell = 0; cell < c.cells; ++cell) evaluate(int32_t(cell));
    settle();
  }

  void set(int64_t input, uint8_t level) {
    const int32_t cell = c.input_cell[input];
    if ((state[cell] & 1) == level) return;
    state[cell] ^= 1;
    cause[cell] = 0;
    evaluate(cell);
  }

  // The rising edge; then the inputs are set, and settle() follows.
  void edge() {
    before = state;
    values_before = value;
    for (int64_t cell = 0; cell < c.cells; ++cell) {
      if (c.keeps[cell] != 1) continue;
      const uint32_t now = state[cell];
      if (c.clock_energy[cell] >= 0) clock += c.energies[c.clock_energy[cell] + 2 * now];
      bool bit = c.next[cell] >> now & 1;
      if (c.clear[cell] >> now & 1) bit = false;
      else if (c.preset[cell] >> now & 1) bit = true;
      const int32_t top = width(cell) - 1;
      if ((now >> top & 1) != bit) moved.push_back({int32_t(cell), top});
    }
    for (const Reader &each : moved) {
      state[each.cell] ^= 1u << each.bit;
      cause[each.cell] = each.bit;
      evaluate(each.cell);
    }
    moved.clear();
  }

  // Until nothing moves. False if that takes for ever: the netlist oscillates.
  bool settle() {
    int64_t patience = int64_t(1) << 24;
    for (; live; now_ = now_ + 1) {
      std::vector<Event> &due = wheel[now_ % wheel.size()];
      if (due.empty()) {
        if (--patience == 0) return false;
        continue;
      }
      arrived.swap(due);
      moved.clear();
      for (const Event &event : arrived) {
        const int32_t gate = event.gate;
        if (!pending[gate] || serial[gate] != event.serial) continue;
        pending[gate] = 0;
        --live;
        const int32_t net = c.gate_net[gate], cell = owner[gate];
        value[net] ^= 1;
        if (counting) {
          ++toggles[net];
          internal += of_gate(gate, cause[cell], state[cell], value[net]);
        }
        for (const Reader &reader : readers[net]) {
          state[reader.cell] ^= 1u << reader.bit;
          cause[reader.cell] = reader.bit;
          moved.push_back(reader);
        }
        if (--patience == 0) return false;
      }
      arrived.clear();
      ++round;
      for (const Reader &each : moved) {
        if (counting) internal += of_pin(each.cell, each.bit);
        if (stamp[each.cell] != round) {
          stamp[each.cell] = round;
          evaluate(each.cell);
        }
      }
      moved.clear();
    }
    return true;
  }

  // What the clock cost if each net had moved at most once; and the clock's falling edge.
  void account() {
    for (int64_t net = 0; net < c.nets; ++net) settled[net] += value[net] != values_before[net];
    for (int64_t cell = 0; cell < c.cells; ++cell) {
      const uint32_t now = state[cell], changed = now ^ before[cell];
      if (c.keeps[cell] == 1 && c.clock_energy[cell] >= 0)
        clock += c.energies[c.clock_energy[cell] + 2 * now + 1];
      if (!changed) continue;
      const int32_t bits = width(cell);
      for (int32_t bit = 0; bit < bits - (c.keeps[cell] ? 1 : 0); ++bit)
        if (changed >> bit & 1) once += of_pin(int32_t(cell), bit);
      for (int32_t gate = c.gate_first[cell]; gate < c.gate_first[cell + 1]; ++gate) {
        const int32_t net = c.gate_net[gate];
        if (value[net] == values_before[net]) continue;
        double sum = 0;
        int32_t count = 0;
        // A flip-flop's output moves by what it keeps, whatever its pins do besides.
        for (int32_t bit = c.keeps[cell] ? bits - 1 : 0; bit < bits; ++bit)
          if (changed >> bit & 1) {
            sum += of_gate(gate, bit, now, value[net]);
            ++count;
          }
        once += sum / count;
      }
    }
  }

  const Circuit &c;
  std::vector<uint8_t> value, values_before;
  bool counting = false;
  int64_t *toggles = nullptr, *settled = nullptr;
  double internal = 0, once = 0, clock = 0;

 private:
  void evaluate(int32_t cell) {
    for (int32_t gate = c.gate_first[cell]; gate < c.gate_first[cell + 1]; ++gate) {
      const bool wanted = c.gate_table[gate] >> state[cell] & 1;
      const bool differs = wanted != bool(value[c.gate_net[gate]]);
      if (differs == bool(pending[gate])) continue;
      if (pending[gate]) {
        pending[gate] = 0;
        ++serial[gate];
        --live;
        continue;
      }
      pending[gate] = 1;
      ++live;
      const int64_t delay = wanted ? c.gate_rise[gate] : c.gate_fall[gate];
      wheel[(now_ + delay) % wheel.size()].push_back({gate, ++serial[gate]});
    }
  }

  double of_gate(int32_t gate, int32_t bit, uint32_t state, bool level) const {
    const int64_t offset = c.gate_energy[gate];
    if (offset < 0) return 0;
    const int64_t states = int64_t(1) << width(owner[gate]);
    return c.energies[offset + 2 * (bit * states + state) + (level ? 0 : 1)];
  }

  double of_pin(int32_t cell, int32_t bit) const {
    const int64_t offset = c.pin_energy[c.pin_first[cell] + bit];
    if (offset < 0) return 0;
    return c.energies[offset + 2 * int64_t(state[cell]) + (state[cell] >> bit & 1 ? 0 : 1)];
  }

  std::vector<uint32_t> state, before;
  std::vector<int32_t> cause;
  std::vector<int64_t> stamp;
  std::vector<uint8_t> pending;
  std::vector<uint32_t> serial;
  std::vector<int32_t> owner;
  std::vector<std::vector<Reader>> readers;
  std::vector<std::vector<Event>> wheel;
  std::vector<Event> arrived;
  std::vector<Reader> moved;
  int64_t live = 0, now_ = 0, round = 0;
};

}  // namespace

// Rows of input bits through the circuit. A row is held for `interval` clocks, or until the net
// `ready` is high. For the first `reset_clocks` the reset is on, and the first row waits. Clocks
// count from row `first` on, to the end of the last; results are recorded for all of them.
// Returns the number of clocks, -1 for an oscillation, -2 when `most` clocks were not enough.
extern "C" __attribute__((visibility("default"))) int64_t macaw_switching(
    const Circuit *circuit, const uint8_t *bits, int64_t rows, int64_t first, int64_t interval,
    int64_t reset_clocks, int64_t drain, int64_t most, uint8_t *results, int32_t *taken,
    int64_t *toggles, int64_t *settled, double *energies, int64_t *counted) {
  const Circuit &c = *circuit;
  Simulation simulation(c);
  simulation.toggles = toggles;
  simulation.settled = settled;
  simulation.start();
  int64_t row = 0, phase = 0, left = drain, clock = 0;
  for (; row < rows || left > 0; ++clock) {
    if (clock == most) return -2;
    const bool resetting = clock < reset_clocks;
    const int64_t shown = row < rows ? row : rows - 1;
    simulation.counting = row >= first && row < rows;
    if (row >= rows) --left;
    const double before = simulation.clock;
    simulation.edge();
    for (int64_t input = 0; input < c.inputs; ++input)
      simulation.set(input, bits[shown * c.inputs + input]);
    if (c.reset >= 0) simulation.set(c.reset, resetting ? c.reset_level : !c.reset_level);
    if (!simulation.settle()) return -1;
    if (simulation.counting) {
      simulation.account();
      ++*counted;
    } else {
      simulation.clock = before;
    }
    for (int64_t output = 0; output < c.outputs; ++output)
      results[clock * c.outputs + output] = simulation.value[c.output_net[output]];
    taken[clock] = int32_t(row);
    if (resetting || row >= rows) continue;
    if (c.ready >= 0 ? simulation.value[c.ready] : ++phase % interval == 0) ++row;
  }
  energies[0] = simulation.internal;
  energies[1] = simulation.once;
  energies[2] = simulation.clock;
  return clock;
}
