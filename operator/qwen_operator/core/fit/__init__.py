"""Will it fit: weights, overhead and KV cache of a layout against the memory of a GPU, in numbers.

Why it exists: a pod that cannot start holds GPUs for the minutes that it takes to fail, and then says less than the
arithmetic did. The same functions gate the operator and answer `kubectl qwen fit`. It must never guess: what is not
known makes the verdict Unknown, with the name of what is missing.

    per GPU: weights + overhead + KV cache of (context x concurrency)  <=  memory x utilization

`architecture` and `tensors` say what a model is, `facts` how it is reported; `layout` how GPUs may share it; `memory`
what a layout puts on one GPU; `verdict` judges one layout, `choice` finds the best; `products` knows some GPUs.
"""
