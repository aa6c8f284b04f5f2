"""Which operators of an int8 artifact stay in float: found by rounding each tensor alone.

What int8 loses is the rounding of each tensor between two operators, and of the weights. Noise of
single tensors adds up. A tensor is not rounded where all operators that make or read it compute in
float, so that an operator alone in float, among integers, gains nothing: runs of them do.

A format describes its float graph as a `Net` and can run it with any tensors rounded (`Simulated`);
the rest is the same for all of them.
"""
