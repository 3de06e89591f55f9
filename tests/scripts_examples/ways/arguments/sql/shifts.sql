select day, machine from shifts
