// Placeholder of the target until its stores are here.
