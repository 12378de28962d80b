// Ganeti
