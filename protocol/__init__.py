"""What backend and add-on say to each other. Knows neither bpy nor torch."""
