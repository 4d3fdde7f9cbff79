"""What a person sees and clicks: properties, preferences, operators, panels, live preview."""
